"""What a student might hand in: a placement and a block manager that are right."""

import vizkv


class LowestHole(vizkv.Placement):
    """First-fit."""

    def place(self, size, holes):
        return next((first for first, room in holes if room >= size), None)


class FreeList(vizkv.BlockManager):
    """Blocks on demand, the one that was given back last first."""

    def __init__(self, blocks, block_size):
        super().__init__(blocks, block_size)
        self.unused, self.tables = list(range(blocks)), {}

    def can_allocate(self, request, tokens):
        return -(-tokens // self.block_size) <= len(self.unused)

    def allocate(self, request, tokens):
        self.tables[request] = [self.unused.pop() for _ in range(-(-tokens // self.block_size))]
        return list(self.tables[request])

    def append(self, request):
        if not self.unused:
            return None
        self.tables[request].append(self.unused.pop())
        return self.tables[request][-1]

    def free(self, request):
        self.unused += self.tables.pop(request)
