"""Who runs in the next step, with how many tokens, and who waits: the two engines' rules over the two memories."""

from vizkv.scheduling.contiguous import ContiguousScheduler, estimate
from vizkv.scheduling.paged import PagedScheduler
from vizkv.scheduling.request import Group, Plan, Refusal, Scheduler, Sequence

__all__ = ["ContiguousScheduler", "Group", "PagedScheduler", "Plan", "Refusal", "Scheduler", "Sequence", "estimate"]
