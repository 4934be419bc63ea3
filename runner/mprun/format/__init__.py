"""The keys of a workflow file as Pydantic models, and the JSON Schema that is generated from them."""
