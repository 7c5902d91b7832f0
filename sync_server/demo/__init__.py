"""The demonstration: the main job on real input, on one machine, with a proof at the end.

Real transactions go in as tills would send them, lines are cut, processes are killed; then what is really in
the agents' files, the database and the topics is read and compared. Agents and server run as processes of
their own, through their public doors: the demo imports no agent code and posts nothing by itself.

    real_input → till_events, derived_events → replay → (agents, server, broker) → evidence → proof
"""
