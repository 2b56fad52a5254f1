"""The two systems of docs/own-systems.md."""

import vizkv


class NextFit(vizkv.Placement):
    """The next hole behind the last piece that was placed."""

    def __init__(self):
        self.at = 0

    def place(self, size, holes):  # holes: (first slot, slots), by address
        for first, room in sorted(holes, key=lambda hole: (sum(hole) <= self.at, hole)):
            if room >= size:
                self.at = first + size
                return first
        return None  # it fits nowhere: the request waits


class Stack(vizkv.BlockManager):
    """Blocks on demand; the one that was given back last is handed out first."""

    def __init__(self, blocks, block_size):
        super().__init__(blocks, block_size)
        self.unused, self.tables = list(range(blocks)), {}

    def can_allocate(self, request, tokens):  # does the whole prompt fit?
        return -(-tokens // self.block_size) <= len(self.unused)

    def allocate(self, request, tokens):  # the blocks of the first step's tokens
        self.tables[request] = [self.unused.pop() for _ in range(-(-tokens // self.block_size))]
        return list(self.tables[request])

    def append(self, request):  # one more block, or None: then somebody is preempted
        if not self.unused:
            return None
        self.tables[request].append(self.unused.pop())
        return self.tables[request][-1]

    def free(self, request):
        self.unused += self.tables.pop(request)
