"""What describes and runs a task file; nothing in here is for task files themselves."""
