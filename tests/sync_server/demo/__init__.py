"""The demo's parts: real input, the till events made of it, the faulty lines, and a proof that can fail."""
