"""Other implementations of the transducer loss, each under the name it is known by.

`prepare(folder, devices)` downloads missing ones from PyPI and builds them, once, and returns the
reasons of those that are unavailable, by name.

Two are built from their C++ sources as extensions of the installed torch: their build files require
pybind11 from GitHub, a CUDA toolkit and C++14. fast_rnnt is built with its CUDA half if there are a
GPU and nvcc. Without a network, sources are taken from `folder`/sources.
"""

import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F

PRUNED_STATES = 5


# ---- building the peers ----------------------------------------------------------------------------


def fetch_source(name, version, folder):
    archive = folder.parent / "sources" / f"{name}-{version}.tar.gz"
    if not archive.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--retries", "0", "--no-binary", ":all:", "--no-build-isolation", "--dest", archive.parent, f"{name}=={version}"],
                       check=True, capture_output=True, text=True)
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / f"{name}-{version}"


def has_cuda():
    """True if extensions can be built with CUDA and a GPU can run them."""
    if not torch.cuda.is_available():
        return False
    from torch.utils import cpp_extension

    return cpp_extension.CUDA_HOME is not None


def build_extension(name, root, sources, package, folder, flags=()):
    """The extension `_NAME` and the package beside it, in `folder`."""
    from torch.utils import cpp_extension

    with contextlib.redirect_stdout(io.StringIO()):
        cpp_extension.load(f"_{name}", [str(root / source) for source in sources], extra_include_paths=[str(root)],
                           extra_cflags=["-O3", *flags], extra_cuda_cflags=["-O3", *flags], build_directory=str(folder))
    (folder / name).symlink_to((root / package).relative_to(folder))


def without_cuda(root, sources):
    """Copies of CUDA-free .cu sources as C++."""
    for source in sources:
        (root / source).with_suffix(".cc").write_bytes((root / source).read_bytes())
    return [str(Path(source).with_suffix(".cc")) for source in sources]


def build_fast_rnnt(folder):
    root = fetch_source("fast_rnnt", "1.3", folder)
    sources = ["fast_rnnt/csrc/mutual_information_cpu.cu", "fast_rnnt/python/csrc/fast_rnnt.cu",
               "fast_rnnt/python/csrc/mutual_information.cu"]
    if has_cuda():
        sources, flags = [*sources, "fast_rnnt/csrc/mutual_information_cuda.cu"], ["-DFT_WITH_CUDA"]
    else:
        sources, flags = without_cuda(root, sources), []
    build_extension("fast_rnnt", root, sources, "fast_rnnt/python/fast_rnnt", folder, flags)


def build_optimized_transducer(folder):
    root = fetch_source("optimized_transducer", "1.4", folder)
    package = root / "optimized_transducer/python/optimized_transducer"
    (package / "torch_version.py").write_text(f"optimized_transducer_torch_version = '{torch.__version__}'\n")
    build_extension("optimized_transducer", root,
                    ["optimized_transducer/csrc/transducer-loss.cc", "optimized_transducer/csrc/cpu.cc",
                     "optimized_transducer/python/csrc/optimized_transducer.cc"],
                    "optimized_transducer/python/optimized_transducer", folder)


def install_warprnnt_numba(folder):
    if importlib.util.find_spec("warprnnt_numba"):
        return
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "0",
                    "warprnnt_numba", "numba"], check=True, capture_output=True, text=True)


PREPARE = {"fast_rnnt": build_fast_rnnt, "optimized_transducer": build_optimized_transducer,
           "warprnnt_numba": install_warprnnt_numba}
CPU_ONLY = {"optimized_transducer"} | (set() if has_cuda() else {"fast_rnnt"})
ABSENT = {"k2": "its wheels on PyPI are made for torch 1.13 and Python 3.9 or older; its pruned loss is fast_rnnt's"}


def prepare(folder, devices):
    folder.mkdir(parents=True, exist_ok=True)
    absent = dict(ABSENT)
    wanted = f"Python {sys.version}, torch {torch.__version__}, CUDA {has_cuda()}"
    for name, build in PREPARE.items():
        place = folder / name
        if name in CPU_ONLY and "cpu" not in devices:
            absent[name] = "it works on the processor only"
        elif not (place / "done").exists() or (place / "done").read_text() != wanted:
            subprocess.run(["rm", "-rf", place], check=True)
            place.mkdir()
            print(f"{name}: building in {place}", file=sys.stderr, flush=True)
            try:
                build(place)
                (place / "done").write_text(wanted)
            except (subprocess.CalledProcessError, RuntimeError, OSError, ImportError, tarfile.TarError) as error:
                absent[name] = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
                (place / "done").unlink(missing_ok=True)
    return absent


def load(name, folder):
    """The module of a peer that prepare() built in `folder`."""
    sys.path.insert(0, str(folder))
    return importlib.import_module(name)


# ---- their routes: case → (leaves, function of the losses) -------------------------------------------------


def joined(encoder, predictor, weight, bias):
    return F.linear(torch.tanh(encoder.unsqueeze(2) + predictor.unsqueeze(1)), weight, bias)


def given_logits(case):
    with torch.no_grad():
        return joined(case["encoder"], case["predictor"], case["weight"], case["bias"]).requires_grad_()


def joiner_leaves(case, *more):
    return [case[name].clone().requires_grad_() for name in ("encoder", "predictor", "weight", "bias", *more)]


def int32(case):
    device = case["encoder"].device
    return [case[name].to(device).int() for name in ("tokens", "frame_lengths", "token_lengths")]


def torchaudio_loss(logits, case):
    import torchaudio

    return torchaudio.functional.rnnt_loss(logits, *int32(case), blank=0, reduction="none")


def torchaudio_from_logits(case, folder):
    logits = given_logits(case)
    return [logits], lambda: torchaudio_loss(logits, case)


def torchaudio_with_joiner(case, folder):
    leaves = joiner_leaves(case)
    return leaves, lambda: torchaudio_loss(joined(*leaves), case)


def torchaudio_with_bf16_joiner(case, folder):
    leaves = joiner_leaves(case)

    def losses():
        with torch.autocast(leaves[0].device.type, torch.bfloat16):
            logits = joined(*leaves)
        return torchaudio_loss(logits.float(), case)

    return leaves, losses


class OverwrittenLogits:
    """optimized_transducer takes the nodes of all utterances in one row, without padding, and overwrites
    the logits with their gradient: every turn needs new logits."""

    def __init__(self, case, folder):
        module = load("optimized_transducer", folder)
        tokens, frames, labels = int32(case)
        with torch.no_grad():
            logits = given_logits(case)
            self.rows = torch.cat([logits[b, :t, :u + 1].reshape(-1, logits.size(3))
                                   for b, (t, u) in enumerate(zip(frames.tolist(), labels.tolist()))])
        self.leaves = [None]
        self.losses = lambda: module.transducer_loss(self.leaves[0], tokens, frames, labels, blank=0,
                                                     from_log_softmax=False, reduction="sum")

    def fresh(self):
        self.leaves[0] = self.rows.clone().requires_grad_()


def warprnnt_from_logits(case, folder):
    from warprnnt_numba import rnnt_loss

    logits = given_logits(case)
    loss = rnnt_loss.rnnt_pytorch.rnnt_loss
    return [logits], lambda: loss(logits, *int32(case), blank=0, reduction="none")


def fast_rnnt_pruned(case, folder):
    """Both passes, with the simple joiner's two matrices."""
    module = load("fast_rnnt", folder)
    leaves = joiner_leaves(case, "simple_encoder", "simple_predictor")
    encoder, predictor, weight, bias, simple_encoder, simple_predictor = leaves
    tokens, frames, labels = (x.long() for x in int32(case))
    boundary = torch.stack([torch.zeros_like(frames), torch.zeros_like(frames), labels, frames], 1)

    def losses():
        am, lm = F.linear(encoder, simple_encoder), F.linear(predictor, simple_predictor)
        simple, (px, py) = module.rnnt_loss_simple(lm, am, tokens, 0, boundary, reduction="none",
                                                   return_grad=True)
        ranges = module.get_rnnt_prune_ranges(px, py, boundary, PRUNED_STATES)
        at_frames, at_states = module.do_rnnt_pruning(encoder, predictor, ranges)
        logits = F.linear(torch.tanh(at_frames + at_states), weight, bias)
        return module.rnnt_loss_pruned(logits, tokens, ranges, 0, boundary, reduction="none") + simple

    return leaves, losses


def tdt_with_joiner(case, folder):
    """The token-and-duration loss by its definition, in tensor operations: node by node, vectorised over the batch, as
    NeMo's TDTLossPytorch is."""
    leaves = joiner_leaves(case, "duration_weight", "duration_bias")
    tokens, frames, labels = (x.long() for x in int32(case))
    T, U = int(frames.max()), int(labels.max())
    batch = torch.arange(len(frames))

    def nodes(arcs):  # (B, T, S, durations) → [t][u][duration] (B)
        return [[node.unbind(1) for node in frame.unbind(1)] for frame in arcs.unbind(1)]

    def losses():
        encoder, predictor, weight, bias, duration_weight, duration_bias = leaves
        logits = joined(encoder, predictor, torch.cat([weight, duration_weight]), torch.cat([bias, duration_bias]))
        count = len(duration_bias)
        classes = F.log_softmax(logits[..., :-count], -1)
        lengths = F.log_softmax(logits[..., -count:], -1)
        blank = classes[..., 0]
        label = classes[:, :, :-1].gather(3, tokens[:, None, :, None].expand(-1, T, -1, 1)).squeeze(3)
        by_blank, by_label = nodes(blank.unsqueeze(3) + lengths), nodes(label.unsqueeze(3) + lengths[:, :, :-1])
        alpha, ends = {(0, 0): torch.zeros(len(frames))}, []
        for t in range(T):
            for u in range(U + 1):
                ways = [alpha[t - d, u] + by_blank[t - d][u][d] for d in range(1, min(count, t + 1))]
                if u > 0:
                    ways += [alpha[t - d, u - 1] + by_label[t - d][u - 1][d] for d in range(min(count, t + 1))]
                if ways:
                    alpha[t, u] = torch.logsumexp(torch.stack(ways), 0)
        grid = torch.stack([torch.stack([alpha[t, u] for u in range(U + 1)]) for t in range(T)])
        for d in range(1, count):
            last = (frames - d).clamp_min(0)
            way = grid[last, labels, batch] + blank[batch, last, labels] + lengths[batch, last, labels, d]
            ends.append(way.masked_fill(frames < d, float("-inf")))
        return -torch.logsumexp(torch.stack(ends), 0)

    return leaves, losses


ROUTES = {
    "torchaudio": torchaudio_from_logits,
    "joiner + torchaudio": torchaudio_with_joiner,
    "bf16 joiner + torchaudio": torchaudio_with_bf16_joiner,
    "joiner + tdt": tdt_with_joiner,
    "warprnnt_numba": warprnnt_from_logits,
    "fast_rnnt pruned": fast_rnnt_pruned,
}


# ---- the process of a route ----------------------------------------------------------------------------


def process_memory(name):
    """A line of /proc/self/status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0


class MemoryPeak:
    """Peak memory beyond that at construction, MB: of the process, or of tensors on the device."""

    def __init__(self, device):
        self.device = device
        if device == "cpu":
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
            self.before = process_memory("VmRSS:")
        else:
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / 2**20

    def megabytes(self):
        peak = process_memory("VmHWM:") if self.device == "cpu" else torch.cuda.max_memory_allocated() / 2**20
        return peak - self.before


def turn(leaves, losses, fresh, device, first_turn):
    """Loss and gradients, repeated for at least a tenth of a second. The first repetition measures memory and is not
    timed: during the turns of other processes the allocator returned memory that a step would have ready. After a
    process's first turn it is timed if it is long."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    answer, count, milliseconds, processor = {}, 0, 0, 0
    while milliseconds < 100:
        fresh()
        memory = MemoryPeak(device)
        processor_start, start = time.process_time(), time.perf_counter()
        values = losses()
        values.sum().backward()
        wait()
        spent = (time.perf_counter() - start) * 1e3
        if answer or (not first_turn and spent > 2000):
            milliseconds += spent
            processor += (time.process_time() - processor_start) * 1e3
            count += 1
        if not answer:
            answer = {"peak_mb": memory.megabytes(), "losses": values.detach().double().reshape(-1).tolist(),
                      "gradient": leaves[0].grad.norm().item()}
        for leaf in leaves:
            leaf.grad = None
    return answer | {"ms": milliseconds / count, "processor_ms": processor / count}


def main():
    """CASE.safetensors ROUTE DEVICE THREADS FOLDER: runs one turn for every line of input, result as JSON."""
    from safetensors.torch import load_file

    path, name, device, threads, folder = sys.argv[1:]
    torch.set_num_threads(int(threads))
    case = {key: x.to(device) if x.is_floating_point() else x for key, x in load_file(path).items()}
    fresh = lambda: None  # noqa: E731
    if name == "optimized_transducer":
        own = OverwrittenLogits(case, Path(folder) / name)
        leaves, losses, fresh = own.leaves, own.losses, own.fresh
    else:
        leaves, losses = ROUTES[name](case, Path(folder) / name.split()[0])
    print("ready", flush=True)
    for i, _ in enumerate(sys.stdin):
        print(json.dumps(turn(leaves, losses, fresh, device, first_turn=i == 0)), flush=True)


if __name__ == "__main__":
    main()
