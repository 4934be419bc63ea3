"""What a target's code is: its module and the modules of the user's that it imports, found without running them."""
