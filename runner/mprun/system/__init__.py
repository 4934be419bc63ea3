"""What the operating system gives: the loop over descriptors and deadlines, memory, facts about the machine."""
