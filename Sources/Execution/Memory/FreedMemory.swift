import CSystem

/// Gives what `free` has kept back to the system. Blocks below its threshold stay in the process
/// otherwise, and after a spill they would count as if they were still in use.
func returnFreedMemory() { malloc_trim(0) }
