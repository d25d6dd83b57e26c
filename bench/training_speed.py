"""Training speed of `scion train` and of the same model in plain PyTorch, one line per case.

Both train on the same utterances with batches of the same size, with the same losses, clipping and
optimiser, turn by turn in one session; the last of two epochs counts, and the median over the
turns. Neither augments. scion's figure is the one it prints, which includes its loader; PyTorch's
features are already in memory. On a GPU the peers are plain ("eager") and compiled PyTorch, and the
memory is the GPU's, at most, as nvidia-smi shows it.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import soundfile

REPOSITORY = Path(__file__).resolve().parent.parent
SECONDS = {"an4-student": 900, "an4-teacher": 600, "conformer-9m": 300}
BATCH_SECONDS = {"an4-student": 25, "an4-teacher": 30, "conformer-9m": 60}
# On a GPU: seven batches of the size that a 960-hour run takes.
GPU_PRESETS = ["conformer-9m", "conformer-76m", "fastconformer-11m", "conformer-9m-streaming"]
GPU_SECONDS, GPU_BATCH_SECONDS = 4000, 600
PEERS = {"eager": [], "compiled": ["--compile"]}


def read_an4():
    manifest = REPOSITORY / "data/an4/train.jsonl"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()]
    for entry in entries:
        entry["audio_filepath"] = str(manifest.parent / entry["audio_filepath"])
    random.Random(1).shuffle(entries)
    return entries


def short_utterances(folder, seconds):
    """AN4, unchanged, with characters."""
    chosen = []
    for entry in read_an4():
        if sum(one["duration"] for one in chosen) < seconds:
            chosen.append(entry)
    return chosen


def long_utterances(folder, seconds):
    """AN4 joined to lengths as in LibriSpeech (2 to 17 s, mostly 12 to 16), with synthetic words:
    2.7 words a second, as many as there are in read books."""
    draw = random.Random(2)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
    words = ["".join(draw.choices(syllables, k=draw.choice((1, 1, 2, 2, 3)))) for _ in range(3000)]
    pool, entries = read_an4() * 2, []
    while sum(one["duration"] for one in entries) < seconds:
        target = draw.choice((draw.uniform(2, 12), draw.uniform(12, 16), draw.uniform(12, 16)))
        samples = []
        while len(samples) < target * 16000:
            samples += soundfile.read(pool.pop()["audio_filepath"])[0].tolist()
        path = folder / f"{len(entries):04}.wav"
        soundfile.write(path, samples, 16000)
        duration = len(samples) / 16000
        text = " ".join(draw.choices(words, k=round(2.7 * duration)))
        entries.append({"id": path.stem, "audio_filepath": str(path), "duration": duration, "text": text})
    return entries


def make_corpus(scion, long, seconds, folder):
    """A manifest and its tokenizer."""
    folder.mkdir()
    entries = (long_utterances if long else short_utterances)(folder, seconds)
    source = folder / "source.jsonl"
    source.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    kind = ["--tokenizer.kind", "bpe", "--tokenizer.vocabulary", "500"] if long else []
    subprocess.run([scion, "--quiet", "prepare", source, "--out", folder / "prepared", *kind], check=True,
                   stdout=subprocess.DEVNULL)
    return source, folder / "prepared" / "tokenizer.model"


def write_config(scion, folder, preset, precision, threads, corpus, device="cpu", more=""):
    manifest, tokenizer = corpus
    batch_seconds = GPU_BATCH_SECONDS if device == "cuda" else BATCH_SECONDS[preset]
    path = folder / f"{preset}-{precision}-{threads}.toml"
    path.write_text(f"""
[data]
train = ["{manifest}"]
tokenizer = "{tokenizer}"
cache = "{folder}/cache"
[model]
preset = "{preset}"
[loader]
batch_seconds = {batch_seconds}
threads = {1 if device == "cpu" else 4}
[augment]
speeds = [1.0]
frequency_masks = 0
time_masks = 0
[train]
epochs = 2
init = "default"
peak_lr = 1e-4
warmup = "0u"
schedule = "constant"
precision = "{precision}"
threads = {threads}
device = "{device}"
loss.ctc_weight = {0.3 if preset.startswith("an4") else 0}
{more}
""")
    dumped = subprocess.run([scion, "train", "--config", path, "--dump-config"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    path.write_text(dumped)
    return path


def run(command):
    """(its output, its peak memory in MB)"""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        text = output.read()
    if status != 0:
        sys.exit(f"error: {command} failed:\n{text}")
    return text, usage.ru_maxrss / 1024


def run_scion(scion, config, out):
    text, memory = run([scion, "train", "--config", config, "--out", out])
    return float(re.findall(r"epoch 2/2 .* (\d+) x real time", text)[-1]), memory


def run_pytorch(config):
    text, memory = run([sys.executable, REPOSITORY / "bench/pytorch/train_step.py", config])
    return json.loads(text.splitlines()[-1])["speed"], memory


class GpuWatch:
    """Samples of a GPU while a command runs: most memory in MB, and the share of time with a kernel."""

    def __enter__(self):
        self.process = subprocess.Popen(
            ["nvidia-smi", "--query-gpu=memory.used,utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100"],
            stdout=subprocess.PIPE, text=True)
        self.samples = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def read(self):
        for line in self.process.stdout:
            self.samples.append([float(x) for x in line.split(",")])

    def __exit__(self, *_):
        self.process.terminate()
        self.reader.join()

    @property
    def memory(self):
        return max((sample[0] for sample in self.samples), default=0)

    @property
    def busy(self):
        """Percent, in the last third of the run: its last epoch."""
        last = self.samples[len(self.samples) * 2 // 3:]
        return statistics.mean(sample[1] for sample in last) if last else 0


def measure_on_gpu(scion, folder, presets, precisions, peers, epochs):
    """One line per preset and precision; the loss is the exact one, then the pruned one without peers."""
    corpus = make_corpus(scion, True, GPU_SECONDS, folder / "corpus")
    print(f"{'preset':24} precision loss    program   x real time  ratio  memory (MB)  busy", flush=True)
    for preset in presets:
        for precision in precisions:
            for loss in ("exact", "pruned"):
                if loss == "pruned" and preset != "conformer-9m":
                    continue
                config = write_config(scion, folder, preset, precision, 4, corpus, "cuda",
                                      f'loss.kind = "{loss}"\n')
                text = config.read_text().replace("epochs = 2\n", f"epochs = {epochs}\n", 1)
                config.write_text(text)
                show = f"{preset:24} {precision:9} {loss:7}"
                with GpuWatch() as watch:
                    output, _ = run([scion, "train", "--config", config, "--out", folder / f"{config.stem}-{loss}"])
                ours = float(re.findall(r"epoch (\d+)/\1 .* (\d+) x real time", output)[-1][1])
                print(f"{show} scion     {ours:11.0f} {'':6} {watch.memory:11.0f} {watch.busy:5.0f}", flush=True)
                if loss == "pruned" or preset not in ("conformer-9m", "conformer-76m"):
                    continue
                for peer in peers:
                    command = [sys.executable, REPOSITORY / "bench/pytorch/train_step.py", config, "--device", "cuda",
                               "--epochs", str(epochs), *PEERS[peer]]
                    with GpuWatch() as watch:
                        finished = subprocess.run([str(x) for x in command], stdout=subprocess.PIPE,
                                                  stderr=subprocess.PIPE, text=True)
                    if finished.returncode != 0:
                        reason = (finished.stderr.strip().splitlines() or ["no message"])[-1]
                        print(f"{show} {peer:9} failed: {reason[:120]}", flush=True)
                        continue
                    theirs = json.loads(finished.stdout.splitlines()[-1])["speed"]
                    print(f"{show} {peer:9} {theirs:11.0f} {ours / theirs:6.2f} {watch.memory:11.0f} {watch.busy:5.0f}",
                          flush=True)


def compare(scion, config, folder, turns):
    ours, theirs = [], []
    for turn in range(turns):
        ours.append(run_scion(scion, config, folder / f"run-{config.stem}-{turn}"))
        theirs.append(run_pytorch(config))
    return [statistics.median(column) for rows in (ours, theirs) for column in zip(*rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scion", default=REPOSITORY / "build/cpu/bin/scion", help="the program")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--presets", nargs="+", help=f"of {', '.join(SECONDS)}; on a GPU of {', '.join(GPU_PRESETS)}")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS), help="on a GPU")
    parser.add_argument("--epochs", type=int, default=3, help="on a GPU; the last one is timed")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--turns", type=int, default=2)
    arguments = parser.parse_args()
    scion = str(arguments.scion)
    if not os.access(scion, os.X_OK):
        sys.exit(f"error: there is no program {scion}\nhint: make build, or give --scion PATH")
    known = GPU_PRESETS if arguments.device == "cuda" else list(SECONDS)
    presets = arguments.presets or known
    if set(presets) - set(known):
        sys.exit(f"error: no such preset here: {', '.join(sorted(set(presets) - set(known)))}\nhint: {', '.join(known)}")
    if arguments.device == "cuda":
        with tempfile.TemporaryDirectory(prefix="training_speed.") as name:
            measure_on_gpu(scion, Path(name), presets, arguments.precisions, arguments.peers, arguments.epochs)
        return
    print(f"{'preset':12} precision threads  scion PyTorch (x real time)  ratio  memory: scion PyTorch (MB)")
    with tempfile.TemporaryDirectory(prefix="training_speed.") as name:
        folder = Path(name)
        for preset in presets:
            corpus = make_corpus(scion, preset.startswith("conformer"), SECONDS[preset], folder / preset)
            for precision in arguments.precisions:
                for threads in arguments.threads:
                    config = write_config(scion, folder, preset, precision, threads, corpus)
                    ours, our_memory, theirs, their_memory = compare(scion, config, folder, arguments.turns)
                    print(f"{preset:12} {precision:9} {threads:7} {ours:6.0f} {theirs:7.1f} {'':14} "
                          f"{ours / theirs:6.2f} {'':7} {our_memory:6.0f} {their_memory:7.0f}", flush=True)


if __name__ == "__main__":
    main()
