"""Ten mistakes that a student might make, each in a class of its own: `vizkv check` finds every one."""

import vizkv
from tests.check.right import FreeList


class OneTooMany(vizkv.Placement):
    """Takes a hole that is one slot too small."""

    kind = "one-too-many"

    def place(self, size, holes):
        return next((first for first, room in holes if room >= size - 1), None)


class HighEndOffByOne(vizkv.Placement):
    """Puts the piece at the high end of a hole, one slot too high."""

    def place(self, size, holes):
        return next((first + room - size + 1 for first, room in holes if room >= size), None)


class OnlyTheLargest(vizkv.Placement):
    """Looks at the last hole only: fewer requests run than with first-fit."""

    def place(self, size, holes):
        return holes[-1][0] if holes and holes[-1][1] >= size else None


class ForgetsNoHole(vizkv.Placement):
    """Raises where there is no hole at all."""

    def place(self, size, holes):
        first, room = max(holes, key=lambda hole: hole[1])
        return first if room >= size else None


class HalfSlots(vizkv.Placement):
    """Divides with / and returns a float."""

    def place(self, size, holes):
        return next((first + (room - size) / 2 for first, room in holes if room >= size), None)


class RoundsDown(FreeList):
    """Rounds the number of blocks down, and so gives a prompt one too few."""

    def allocate(self, request, tokens):
        self.tables[request] = [self.unused.pop() for _ in range(tokens // self.block_size)]
        return list(self.tables[request])


class Leaks(FreeList):
    """Forgets the last block when a request ends."""

    def free(self, request):
        self.unused += self.tables.pop(request)[:-1]


class GivesTwice(FreeList):
    """Hands out a block and leaves it in the free list."""

    def append(self, request):
        if not self.unused:
            return None
        self.tables[request].append(self.unused[-1])
        return self.unused[-1]


class PopsWhatIsNotThere(FreeList):
    """Raises where no block is free."""

    def append(self, request):
        self.tables[request].append(self.unused.pop())
        return self.tables[request][-1]


class KeepsOneBack(FreeList):
    """Needs a spare block for every admission: waits where vLLM does not."""

    def can_allocate(self, request, tokens):
        need = -(-tokens // self.block_size)
        return need <= len(self.unused) and (not self.tables or need < len(self.unused))
