"""The limits on untrusted input, each with its reason.

A limit on received bytes is checked before they are parsed, a limit on unpacked bytes before they are unpacked. An
error names the limit that was exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_SLOTS = 4_194_304  # of a pool: four times the largest one that is measured
MAX_SYSTEMS = 12  # of a scenario: more cannot be told apart on a screen
MAX_REQUESTS = 100_000  # of a scenario: a day of arrivals in the recorded workloads
MAX_TOKENS = 20_000_000  # of all requests together: the lists of their tokens must fit into memory
MAX_STEPS = 200_000  # of a run: the paper's experiment has 27,000
MAX_NAME = 200  # characters of a system's or a sequence's name in a file; scenarios allow fewer
MAX_PIECE = 1000  # characters of one token's text: the longest of any tokenizer known here has 256

MAX_SCENARIO_FILE = 64 * 2**20  # bytes at the command line: 100,000 requests with a prompt each
MAX_SCENARIO_UPLOAD = 2 * 2**20  # bytes on a page: far more requests than it can show
MAX_CODE = 65_536  # characters of a scenario in a link: a browser's address line takes hardly more
MAX_CODE_UNPACKED = 4 * 2**20  # bytes of what that unpacks to
MAX_SCRIPT = 512 * 2**10  # bytes of a lecture's script: sixty beats with a page of notes each
MAX_CONFIG = 2 * 2**20  # bytes of a model's config.json: they have a few thousand, with labels of classes a few more
MAX_REHEARSAL_S = 60.0  # seconds that all runs of a lecture's script may take when it is opened

MAX_WORKLOAD_FILE = 200 * 10**6  # bytes at the command line: several public traces in full
MAX_WORKLOAD_UPLOAD = 50 * 10**6  # bytes on a page, where the uploader shows this limit
MAX_WORKLOAD_REQUESTS = 1_000_000  # of a workload file
MAX_WORKLOAD_NAMES = 50_000_000  # content hashes in a workload file, four bytes each

MAX_KEY_PARTS = 16  # of a dotted key in TOML: the parser's time grows with the square of their number
MAX_VALUES = 2_000_000  # of a JSON text: each takes about 60 bytes of memory, however short it is


@dataclass(frozen=True)
class TraceLimits:
    """How large a trace file may be.

    ``packed``: bytes of the file. ``unpacked``: bytes of its parts when unpacked. ``header``: bytes of its JSON header.
    ``slots``: of one system. ``events``: of all systems together. ``work``: events, steps and single writes of all
    systems together, each of which is replayed once. ``seconds``: the longest time that the replay may take.
    """

    packed: int
    unpacked: int
    header: int
    slots: int
    events: int
    work: int
    seconds: float


# On a page: several times the paper's experiment (2 MB, 15 MB unpacked, 240,000 events, 2.5 million writes and steps).
# The player draws pools of up to 65,536 slots at 50 frames per second.
PAGE = TraceLimits(
    packed=16 * 2**20, unpacked=48 * 2**20, header=8 * 2**20, slots=65_536, events=400_000, work=5_000_000,
    seconds=60.0,
)  # fmt: skip
# At the command line users open their own runs, which may be as large as a run can be.
COMMAND_LINE = TraceLimits(
    packed=512 * 2**20, unpacked=2**31, header=256 * 2**20, slots=MAX_SLOTS, events=50_000_000, work=500_000_000,
    seconds=float("inf"),
)  # fmt: skip
