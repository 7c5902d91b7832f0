"""The store's page: what a shop assistant sees at http://127.0.0.1:9013/, understood at a glance.

Green: all sales are safe and sent. Amber: they are safe here and wait for the line. Red: call support, with a code.
"""
