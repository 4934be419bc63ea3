"""What runs in a child. Imports the standard library and mprun's lightest modules only: each child pays for it."""
