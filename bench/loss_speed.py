"""Time and memory of the transducer loss and its gradients: scion's routes and their peers, one line
per route and case.

All routes use the same numbers and take turns, each in a separate process; a ratio is the median
over the turns. A case's speed is printed only if the losses and gradients of its routes agree.

  ms      one turn, forward and backward, median
  MB      peak memory beyond inputs and parameters, including their gradients
  ratio   speed relative to torchaudio.functional.rnnt_loss: from logits, or with the joiner (fp32)
          before it; of the token-and-duration loss: relative to its recursion in PyTorch, node by node
  floor   lower bound of a turn's time, as a share of it. From logits: reading them once and writing
          their gradient once, at the speed of a copy. With the joiner: one product with the output
          matrix per node forward, two backward per node that alignments pass with a probability of
          at least 1e-10 (bf16: 1e-6), at the highest speed of a product in that precision measured
          in this run. Logits that do not fit in the workspace are computed twice; the floor does not
          count this, nor exponentials and tanh.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from pytorch import loss_peers
from safetensors.torch import save_file

REPOSITORY = Path(__file__).resolve().parent.parent
BUILT = {preset: REPOSITORY / f"build/{preset}/bin/loss_speed" for preset in ("cpu", "cuda")}
# The CUDA build runs on the CPU, too.
PROGRAMS = {"cpu": BUILT["cpu"] if BUILT["cpu"].exists() else BUILT["cuda"], "cuda": BUILT["cuda"]}
PEERS = REPOSITORY / ".deps/bench-loss"


DURATIONS = 5  # of a TDT: 0 to 4 frames


@dataclass
class Case:
    name: str
    frames: list  # of each utterance
    labels: list
    classes: int
    width: int = 512
    heavy: bool = False  # one turn, one process at a time
    gpu_only: bool = False

    @property
    def padded(self):
        return len(self.frames) * max(self.frames) * (max(self.labels) + 1) * self.classes

    def write(self, path):
        """The joiner's inputs and parameters, random as in an untrained model."""
        torch.manual_seed(1)
        B, T, U, V, D = len(self.frames), max(self.frames), max(self.labels), self.classes, self.width
        matrix = lambda: (torch.rand(V, D) * 2 - 1) / D**0.5  # noqa: E731
        save_file({"encoder": torch.randn(B, T, D), "predictor": torch.randn(B, U + 1, D),
                   "weight": matrix(), "bias": torch.zeros(V),
                   "simple_encoder": matrix(), "simple_predictor": matrix(),
                   "duration_weight": matrix()[:DURATIONS], "duration_bias": torch.zeros(DURATIONS),
                   "tokens": torch.randint(1, V, (B, U)),
                   "frame_lengths": torch.tensor(self.frames), "token_lengths": torch.tensor(self.labels)}, path)


def equal(B, T, U, V, D=512, **more):
    return Case(f"({B},{T},{U},{V})", [T] * B, [U] * B, V, D, **more)


def librispeech():
    """30 utterances of 2 to 16.5 s, most of 12 to 16: 25 frames and 5 labels a second."""
    generator = torch.Generator().manual_seed(3)
    draw = lambda low, high: low + (high - low) * torch.rand((), generator=generator).item()  # noqa: E731
    seconds = [draw(2, 12) if i % 3 == 0 else draw(12, 16.5) for i in range(30)]
    return Case("librispeech", [round(25 * s) for s in seconds], [round(5 * s) for s in seconds], 500, heavy=True)


CASES = [equal(9, 45, 20, 28, 64), equal(8, 150, 40, 500), equal(8, 250, 60, 500), librispeech(),
         equal(4, 400, 100, 5000, heavy=True),
         # The shape of NeMo's Flash RNN-T (pull request 16040).
         equal(32, 400, 128, 1024, 640, heavy=True, gpu_only=True)]


@dataclass
class Route:
    name: str
    ours: bool
    group: str  # routes of a group have the same inputs and losses
    tolerance: float = 1e-4  # of losses, relative; gradients: ten times as much
    peer: str = ""  # name of a peer that may be unavailable
    most: float = float("inf")  # largest number of logits of a case, with padding
    cpu_only: bool = False


ROUTES = [
    Route("logits", True, "logits"),
    Route("torchaudio", False, "logits"),
    Route("optimized_transducer", False, "logits", peer="optimized_transducer"),
    Route("warprnnt_numba", False, "logits", peer="warprnnt_numba", most=3e7),
    Route("fused fp32", True, "joiner"),
    Route("fused bf16", True, "joiner", 1e-3),
    Route("joiner + torchaudio", False, "joiner"),
    Route("bf16 joiner + torchaudio", False, "joiner", 1e-3, most=1e8),
    Route("tdt fp32", True, "tdt", cpu_only=True),
    Route("tdt bf16", True, "tdt", 1e-3, cpu_only=True),
    Route("joiner + tdt", False, "tdt", most=3e7, cpu_only=True),
    Route("pruned fp32", True, "pruned"),
    Route("pruned bf16", True, "pruned", 1e-3),
    # If windows of states have nearly the same flow, rounding decides on the band: fast_rnnt in float64 differs from
    # float32 by 4e-3 on (8,250,60,500), and by 3e-7 with the same bands.
    Route("fast_rnnt pruned", False, "pruned", 1e-2, peer="fast_rnnt"),
]
REFERENCE = {"logits": "torchaudio", "joiner": "joiner + torchaudio", "pruned": "joiner + torchaudio",
             "tdt": "joiner + tdt"}


class Worker:
    """A route's process, started and with its inputs loaded."""

    def __init__(self, route, path, device, threads):
        ours = [PROGRAMS[device], path, route.name, device, threads]
        theirs = [sys.executable, loss_peers.__file__, path, route.name, device, threads, PEERS]
        self.process = subprocess.Popen([str(x) for x in (ours if route.ours else theirs)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.failure = ""
        if self.process.stdout.readline().strip() != "ready":
            self.fail()

    def fail(self):
        lines = self.process.communicate()[1].strip().splitlines() or [f"ended with {self.process.returncode}"]
        self.failure = lines[-1]

    def turn(self):
        if self.failure:
            return None
        try:
            self.process.stdin.write("turn\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            self.fail()
            return None

    def close(self):
        if not self.failure:
            self.process.communicate()


SLOW = 2000  # ms: routes above this need one turn less


def run_turns(routes, path, device, threads, turns):
    """{name: [answers]}, {name: reason of failure}. The first of several turns is a warm-up except for slow routes; a
    single turn starts with a repetition that is not timed."""
    answers, failures, workers = {}, {}, {}
    for count in range(turns + 1 if turns > 1 else 1):
        for route in routes:
            if count == turns and answers.get(route.name, [{"ms": 0}])[0]["ms"] > SLOW:
                continue
            if route.name not in workers:
                workers[route.name] = Worker(route, path, device, threads)
            answer = workers[route.name].turn()
            if answer:
                answers.setdefault(route.name, []).append(answer)
            else:
                failures[route.name] = workers[route.name].failure
            if turns == 1:
                workers[route.name].close()
    if turns > 1:
        for worker in workers.values():
            worker.close()
    return answers, failures


def timed(answers, turns):
    """The answers without the warm-up."""
    return answers[-turns:]


def relative_difference(these, those):
    if len(these) == 1:  # the sum over all utterances
        those = [sum(those)]
    return max(abs(a - b) / max(abs(b), 1e-30) for a, b in zip(these, those, strict=True))


def disagreements(routes, answers):
    """A line for every route that differs from its group's first one."""
    for group in dict.fromkeys(route.group for route in routes):
        members = [route for route in routes if route.group == group and route.name in answers]
        for route in members[1:]:
            first, other = answers[members[0].name][0], answers[route.name][0]
            loss = relative_difference(other["losses"], first["losses"])
            gradient = relative_difference([other["gradient"]], [first["gradient"]])
            if loss > route.tolerance or gradient > 10 * route.tolerance:
                yield (f"error: {route.name} and {members[0].name} differ by {loss:.1e} in the losses, "
                       f"{gradient:.1e} in the gradient's norm")


def ask(device, *arguments):
    command = [str(x) for x in (PROGRAMS[device], *arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def floor_seconds(route, case, nodes, peak):
    if route.group == "logits":
        return 4 * (nodes["nodes"] * case.classes + case.padded) / peak["copy"]
    if route.group in ("pruned", "tdt") or not route.ours:
        return None
    bf16 = route.name == "fused bf16"
    rows = nodes["nodes"] + 2 * nodes["used_bf16" if bf16 else "used"]
    return 2 * rows * case.width * case.classes / peak["bf16" if bf16 else "fp32"]


def median_ratio(theirs, ours, clock):
    return statistics.median(a[clock] / b[clock] for a, b in zip(theirs, ours))


def print_case(case, device, threads, routes, answers, failures, nodes, peak, clock, count):
    for route in routes:
        start = f"{case.name:16} {route.name:26} {device:6} {threads:7} "
        if route.name in failures:
            print(f"{start} failed: {failures[route.name]}")
            continue
        turns = timed(answers[route.name], count)
        reference = answers.get(REFERENCE[route.group])
        ratio = median_ratio(timed(reference, count), turns, clock) if reference else None
        milliseconds = statistics.median(turn[clock] for turn in turns)
        floor = floor_seconds(route, case, nodes, peak)
        print(f"{start} {milliseconds:9.1f} {answers[route.name][0]['peak_mb']:7.0f} "
              f"{f'{ratio:.2f}' if ratio else '-':>7} {f'{floor * 1e5 / milliseconds:.0f} %' if floor else '-':>6}",
              flush=True)


def find_places(devices):
    """The available pairs (device, threads)."""
    places = [("cpu", 1), ("cpu", 2)] if "cpu" in devices else []
    if "cuda" not in devices:
        return places
    if not torch.cuda.is_available():
        print("device cuda: no GPU")
        if devices == ["cuda"]:
            sys.exit("error: there is no device to run on")
    elif not PROGRAMS["cuda"].exists():
        print(f"device cuda: not measured, missing {PROGRAMS['cuda']} (scripts/build.sh cuda 2 --target loss_speed "
              "-D SCION_BENCH=ON)")
    else:
        places.append(("cuda", 1))
    return places


def memory_available():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    return 0


def fitting(case, routes, device):
    """The routes whose logits and gradient fit in memory; prints a line for each other."""
    needed = 4 * case.padded * 2.6
    free = memory_available() if device == "cpu" else torch.cuda.mem_get_info()[0]
    if needed < free:
        return routes
    for route in routes:
        if route.group == "logits" or not route.ours and route.peer != "fast_rnnt":
            print(f"{case.name:16} {route.name:26} not run: logits and gradient need {needed / 1e9:.1f} GB, "
                  f"{free / 1e9:.1f} are free")
    return [route for route in routes if route.ours and route.group != "logits" or route.peer == "fast_rnnt"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small shapes, scion and torchaudio only")
    parser.add_argument("--full", action="store_true", help="also the large shapes with one thread")
    names = [case.name for case in CASES]
    parser.add_argument("--cases", nargs="+", default=names, choices=names, metavar="CASE",
                        help=f"some of the shapes: {', '.join(names)}")
    parser.add_argument("--turns", type=int, default=2, help="turns of the small shapes (2)")
    parser.add_argument("--devices", nargs="+", default=["cpu", "cuda"], choices=["cpu", "cuda"],
                        help="devices to run on (default: those of cpu and cuda that exist)")
    parser.add_argument("--processor-time", action="store_true",
                        help="measure processor time instead of wall time: less disturbed by other work, "
                             "valid for one thread only")
    arguments = parser.parse_args()
    clock = "processor_ms" if arguments.processor_time else "ms"
    if not PROGRAMS["cpu"].exists():
        sys.exit(f"error: missing program {PROGRAMS['cpu']}\nhint: make bench-loss builds it")
    absent = {} if arguments.quick else loss_peers.prepare(PEERS, arguments.devices)
    for name, reason in absent.items():
        print(f"{name}: not available: {reason}")
    routes = [route for route in ROUTES if not (arguments.quick and route.peer) and route.peer not in absent]
    places = find_places(arguments.devices)
    peaks = {place: ask(place[0], "peaks", *place) for place in places}
    for (device, threads), peak in peaks.items():
        name = torch.cuda.get_device_name() if device == "cuda" else f"{peak['name']}, {threads} threads"
        print(f"{name}: products {peak['fp32'] / 1e9:.0f} GFLOP/s in fp32, "
              f"{peak['bf16'] / 1e9:.0f} in bf16; a copy reads and writes {peak['copy'] / 1e9:.1f} GB/s")
    print(f"{'(B,T,U,V)':16} {'route':26} device threads        ms      MB   ratio  floor", flush=True)
    failed = False
    with tempfile.TemporaryDirectory(prefix="loss_speed.") as folder:
        for case in CASES:
            if case.name not in arguments.cases or arguments.quick and case.heavy:
                continue
            if case.gpu_only and all(device == "cpu" for device, _ in places):
                continue
            path = Path(folder) / "case.safetensors"
            case.write(path)
            nodes = ask("cpu", path, "nodes", "cpu", 2)
            for device, threads in places:
                if device == "cpu" and case.gpu_only:
                    continue
                if case.heavy and (device, threads) == ("cpu", 1) and not arguments.full:
                    continue
                there = [route for route in fitting(case, routes, device) if case.padded <= route.most and
                         (device == "cpu" or route.peer not in loss_peers.CPU_ONLY and not route.cpu_only)]
                turns = 1 if case.heavy else arguments.turns
                answers, failures = run_turns(there, path, device, threads, turns)
                for line in disagreements(there, answers):
                    failed = True
                    print(line)
                print_case(case, device, threads, there, answers, failures, nodes, peaks[device, threads], clock, turns)
    if failed:
        sys.exit("error: routes disagree")


if __name__ == "__main__":
    main()
