"""Ingestion as callers meet it: batches over HTTP."""
