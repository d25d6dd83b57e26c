"""Speed of 80 log-mel filter banks (icefall's settings) on one thread, as multiples of real time.

16 s of the same kind of noise for everybody, turn by turn in one session; the median over the
turns counts, and the ratio is scion's median over the peer's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import kaldi_native_fbank
import numpy
import torch
import torchaudio

PROGRAM = Path(__file__).resolve().parent.parent / "build/cpu/bin/scion_bench"
SECONDS = 16
RATE = 16000


def repeated(compute):
    """Multiples of real time, measured for at least a second."""
    compute()
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < 1:
        compute()
        count += 1
    return SECONDS * count / (time.perf_counter() - start)


def scion():
    report = subprocess.run(
        [
            PROGRAM,
            "--benchmark_filter=features/icefall",
            "--benchmark_format=json",
            "--benchmark_min_time=1",
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return json.loads(report)["benchmarks"][0]["x_real_time"]


def torchaudio_fbank(samples):
    tensor = torch.from_numpy(samples).unsqueeze(0)
    return repeated(
        lambda: torchaudio.compliance.kaldi.fbank(
            tensor, num_mel_bins=80, sample_frequency=RATE, dither=0, snip_edges=False, high_freq=-400
        )
    )


def native_fbank(samples):
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400

    def compute():
        bank = kaldi_native_fbank.OnlineFbank(options)
        bank.accept_waveform(RATE, samples)
        bank.input_finished()
        return bank.num_frames_ready

    return repeated(compute)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    if not PROGRAM.exists():
        sys.exit(f"error: there is no program {PROGRAM}\n"
                 "hint: make bench BENCH_FLAGS=--benchmark_filter=features builds it")
    torch.set_num_threads(1)
    samples = (numpy.random.default_rng(1).standard_normal(SECONDS * RATE) * 0.1).astype(numpy.float32)
    speeds = {"scion": [], "torchaudio": [], "kaldi-native-fbank": []}
    for _ in range(turns):
        speeds["scion"].append(scion())
        speeds["torchaudio"].append(torchaudio_fbank(samples))
        speeds["kaldi-native-fbank"].append(native_fbank(samples))
    ours = statistics.median(speeds["scion"])
    for name, values in speeds.items():
        middle = statistics.median(values)
        print(
            f"{name:20} {middle:7.0f} x real time ({min(values):.0f} to {max(values):.0f}), "
            f"scion is {ours / middle:.1f} times as fast"
        )


if __name__ == "__main__":
    main()
