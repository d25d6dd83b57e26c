"""Trains a scion model in plain PyTorch and prints its speed as JSON.

Batches are made as scion makes them: buckets of equal duration, at most `batch_seconds` of audio.
Features are computed and kept in memory beforehand, so that only training is timed: making the
padded batch, copying it to the device, forward, both losses, backward, clipping, AdamW.
"""

import argparse
import json
import random
import time
import tomllib
from pathlib import Path

import sentencepiece
import soundfile
import torch
import torchaudio

from model import Config, Transducer

FEATURE_FLOOR = -15.942385


def read_utterances(manifest, tokenizer):
    """A list of (features (T, F), tokens (U))."""
    utterances = []
    for line in Path(manifest).read_text().splitlines():
        entry = json.loads(line)
        samples, rate = soundfile.read(Path(manifest).parent / entry["audio_filepath"], dtype="float32")
        features = torchaudio.compliance.kaldi.fbank(
            torch.from_numpy(samples)[None], sample_frequency=rate, num_mel_bins=80, dither=0,
            snip_edges=False, high_freq=-400)
        utterances.append((features, torch.tensor(tokenizer.encode(entry["text"]))))
    return utterances


def make_batches(utterances, batch_seconds, buckets):
    """Lists of indices: sorted by length, cut into buckets, shuffled inside, batches shuffled."""
    seconds = [len(features) / 100 for features, _ in utterances]
    total, passed, batches = sum(seconds), 0, []
    pieces = [[] for _ in range(buckets)]
    for i in sorted(range(len(seconds)), key=lambda i: seconds[i]):
        pieces[min(buckets - 1, int((passed + seconds[i] / 2) / total * buckets))].append(i)
        passed += seconds[i]
    for piece in pieces:
        random.shuffle(piece)
        filled = float("inf")
        for i in piece:
            if filled + seconds[i] > batch_seconds:
                batches.append([])
                filled = 0
            batches[-1].append(i)
            filled += seconds[i]
    random.shuffle(batches)
    return batches


def collate(chosen):
    features, tokens = zip(*chosen)
    return (torch.nn.utils.rnn.pad_sequence(features, True, FEATURE_FLOOR),
            torch.tensor([len(x) for x in features]),
            torch.nn.utils.rnn.pad_sequence(tokens, True, 0),
            torch.tensor([len(x) for x in tokens]))


def make_optimiser(model, options):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": options["weight_decay"]},
                              {"params": others, "weight_decay": 0}],
                             lr=1e-4, betas=(options["beta1"], options["beta2"]), fused=True)


def train_epoch(model, optimiser, utterances, batches, config, bf16, device):
    for indices in batches:
        batch = collate([utterances[i] for i in indices])
        if device == "cuda":
            batch = [x.pin_memory().to(device, non_blocking=True) for x in batch]
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            transducer, ctc = model.losses(*batch)
        share = config["train"]["loss"]["ctc_weight"]
        loss = transducer if ctc is None else (1 - share) * transducer + share * ctc
        (loss / len(indices)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config["train"]["optimiser"]["clip_norm"])
        optimiser.step()
        optimiser.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="TOML as 'scion train --dump-config' prints it")
    parser.add_argument("--epochs", type=int, default=2, help="the last one is timed")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--compile", action="store_true", help="the encoder's layers through torch.compile")
    arguments = parser.parse_args()
    device = arguments.device
    config = tomllib.loads(Path(arguments.config).read_text())
    torch.manual_seed(1)
    random.seed(1)
    torch.set_num_threads(config["train"]["threads"])

    tokenizer = sentencepiece.SentencePieceProcessor(model_file=config["data"]["tokenizer"])
    utterances = read_utterances(config["data"]["train"][0], tokenizer)
    model = Transducer(Config.from_json(config["model"], tokenizer.get_piece_size()))
    everything = torch.cat([features for features, _ in utterances])
    model.feature_mean.copy_(everything.mean(0))
    model.feature_deviation.copy_(everything.std(0))
    model.to(device)
    if arguments.compile:
        # Layer by layer: one graph, whatever the number of layers. Lengths differ from batch to batch.
        for layer in model.encoder.layers:
            layer.compile(dynamic=True)
    optimiser = make_optimiser(model, config["train"]["optimiser"])
    bf16 = config["train"]["precision"] == "bf16"
    for _ in range(arguments.epochs):
        batches = make_batches(utterances, config["loader"]["batch_seconds"], config["loader"]["buckets"])
        start = time.perf_counter()
        train_epoch(model, optimiser, utterances, batches, config, bf16, device)
        seconds = time.perf_counter() - start
    print(json.dumps({"speed": len(everything) / 100 / seconds, "batches": len(batches),
                      "parameters": sum(p.numel() for p in model.parameters()),
                      "peak_mb": torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None}))


if __name__ == "__main__":
    main()
