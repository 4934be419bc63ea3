"""What a workflow file may say, as Pydantic models, and the JSON Schema that is generated from them."""
