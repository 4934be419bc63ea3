"""The code of a target: its module and the user's modules that it imports, found without running them."""
