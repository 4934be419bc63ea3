"""The events of a log as Pydantic models, and what is generated from these."""
