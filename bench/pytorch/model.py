"""The Conformer transducer of scion in plain PyTorch: a peer for benchmarks.

Modules of torch.nn wherever there is one, torchaudio's transducer loss, PyTorch's CTC loss, and
nothing tuned by hand: what somebody writes who wants this model and has PyTorch.
"""

import json
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

BLANK = 0


@dataclass
class Config:
    vocabulary: int
    bins: int = 80
    width: int = 96
    layers: int = 2
    heads: int = 4
    head_width: int = 24
    feed_forward: int = 384
    kernel: int = 15
    subsampling: int = 6
    subsampling_channels: int = 8
    positions: str = "bias"  # bias, sinusoid
    position_range: int = 16
    activation: str = "relu"  # relu, swish
    dropout: float = 0.1
    predictor_width: int = 64
    predictor_context: int = 2
    joiner_width: int = 64
    ctc: bool = True

    @staticmethod
    def from_json(model, vocabulary):
        """From the [model] table of scion's configuration, as JSON."""
        if model["conformer"]["convolution_norm"] != "batch":
            raise ValueError("only batch normalisation is written here")
        values = {key: value for part in (model["conformer"], model) for key, value in part.items()
                  if key in Config.__dataclass_fields__}
        return Config(vocabulary=vocabulary, bins=model["features"]["bins"], **values)


def activation(name):
    return nn.ReLU() if name == "relu" else nn.SiLU()


class Subsampling(nn.Module):
    def __init__(self, config):
        super().__init__()
        kernel, stride = (3, 2) if config.subsampling == 4 else (5, 3)
        channels = config.subsampling_channels
        self.convolution1 = nn.Conv2d(1, channels, 3, 2)
        self.convolution2 = nn.Conv2d(channels, channels, kernel, stride)
        self.projection = nn.Linear(channels * int(self.lengths(config.bins)), config.width)

    def lengths(self, frames):
        frames = (frames - 3) // 2 + 1
        return (frames - self.convolution2.kernel_size[0]) // self.convolution2.stride[0] + 1

    def forward(self, x):
        x = F.relu(self.convolution1(x.unsqueeze(1)))
        x = F.relu(self.convolution2(x))
        return self.projection(x.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.linear1 = nn.Linear(config.width, config.feed_forward)
        self.linear2 = nn.Linear(config.feed_forward, config.width)
        self.activation = activation(config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        y = self.dropout(self.activation(self.linear1(self.norm(x))))
        return x + 0.5 * self.dropout(self.linear2(y))


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.head_width = config.heads, config.head_width
        inner = config.heads * config.head_width
        self.norm = nn.LayerNorm(config.width)
        self.input = nn.Linear(config.width, 3 * inner)
        self.output = nn.Linear(inner, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.positions = config.positions
        if config.positions == "bias":
            self.position_bias = nn.Parameter(torch.zeros(config.heads, 2 * config.position_range + 1))
        else:
            self.position = nn.Linear(config.width, inner, bias=False)
            self.content_offset = nn.Parameter(torch.zeros(inner))
            self.position_offset = nn.Parameter(torch.zeros(inner))

    def scores(self, query, key, places):
        if self.positions == "bias":
            return query @ key.transpose(2, 3) / math.sqrt(self.head_width) + self.position_bias[:, places]
        frames = query.size(2)
        rows = self.position(places).view(-1, self.heads, self.head_width).permute(1, 2, 0)
        content = (query + self.content_offset.view(self.heads, 1, -1)) @ key.transpose(2, 3)
        position = (query + self.position_offset.view(self.heads, 1, -1)) @ rows  # (B, H, T, 2T-1)
        # From distances to keys: row t begins T-1-t columns later.
        position = F.pad(position, (1, 0)).view(query.size(0), self.heads, -1, frames)[:, :, 1:]
        position = position.reshape(query.size(0), self.heads, frames, -1)[..., :frames]
        return (content + position) / math.sqrt(self.head_width)

    def forward(self, x, padding, places):
        batch, frames, _ = x.shape
        query, key, value = (self.input(self.norm(x))
                             .view(batch, frames, 3, self.heads, self.head_width)
                             .permute(2, 0, 3, 1, 4))
        scores = self.scores(query, key, places).masked_fill(padding[:, None, None], -math.inf)
        weights = self.dropout(scores.softmax(-1))
        y = (weights @ value).transpose(1, 2).flatten(2)
        return x + self.dropout(self.output(y))


class Convolution(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.width
        self.norm = nn.LayerNorm(width)
        self.pointwise1 = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, config.kernel, padding=config.kernel // 2, groups=width)
        self.batch_norm = nn.BatchNorm1d(width)
        self.activation = activation(config.activation)
        self.pointwise2 = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x, padding):
        y = F.glu(self.pointwise1(self.norm(x)), -1).masked_fill(padding[:, :, None], 0)
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        # Statistics over the valid frames only.
        valid = ~padding
        normalised = torch.zeros_like(y)
        normalised[valid] = self.batch_norm(y[valid]).to(y.dtype)
        return x + self.dropout(self.pointwise2(self.activation(normalised)))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.feed_forward1 = FeedForward(config)
        self.attention = Attention(config)
        self.convolution = Convolution(config)
        self.feed_forward2 = FeedForward(config)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x, padding, places):
        x = self.attention(self.feed_forward1(x), padding, places)
        return self.norm(self.feed_forward2(self.convolution(x, padding)))


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.subsampling = Subsampling(config)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        if config.positions == "sinusoid":
            exponents = torch.arange(0, config.width, 2) / config.width
            self.register_buffer("frequencies", torch.exp(exponents * -math.log(10000.0)))

    def places(self, frames, device):
        if self.config.positions == "bias":
            time, reach = torch.arange(frames, device=device), self.config.position_range
            return (time[None] - time[:, None]).clamp(-reach, reach) + reach
        distances = torch.arange(frames - 1, -frames, -1, device=device)
        angles = distances[:, None] * self.frequencies[None]
        return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)

    def forward(self, features, lengths):
        x = self.dropout(self.subsampling(features))
        lengths = self.subsampling.lengths(lengths)
        padding = torch.arange(x.size(1), device=x.device)[None] >= lengths[:, None]
        places = self.places(x.size(1), x.device)
        for layer in self.layers:
            x = layer(x, padding, places)
        return x, lengths


class Predictor(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.predictor_width
        self.context = config.predictor_context
        self.embedding = nn.Embedding(config.vocabulary, width)
        self.convolution = nn.Conv1d(width, width, self.context, groups=width)

    def forward(self, tokens):
        labels = F.pad(tokens, (self.context, 0), value=BLANK)
        return F.relu(self.convolution(self.embedding(labels).transpose(1, 2))).transpose(1, 2)


class Joiner(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder_projection = nn.Linear(config.width, config.joiner_width)
        self.predictor_projection = nn.Linear(config.predictor_width, config.joiner_width)
        self.output = nn.Linear(config.joiner_width, config.vocabulary)

    def forward(self, encoder, predictor):
        """(B, T, D), (B, U+1, P) -> logits (B, T, U+1, V)"""
        x = self.encoder_projection(encoder)[:, :, None] + self.predictor_projection(predictor)[:, None]
        return self.output(torch.tanh(x))


class Transducer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.register_buffer("feature_mean", torch.zeros(config.bins))
        self.register_buffer("feature_deviation", torch.ones(config.bins))
        self.encoder = Encoder(config)
        self.predictor = Predictor(config)
        self.joiner = Joiner(config)
        self.ctc = nn.Linear(config.width, config.vocabulary) if config.ctc else None

    def encode(self, features, lengths):
        return self.encoder((features - self.feature_mean) / self.feature_deviation, lengths)

    def losses(self, features, lengths, tokens, token_lengths):
        """The transducer loss and the CTC loss (or None), each a sum over the utterances."""
        from torchaudio.functional import rnnt_loss

        frames, frame_lengths = self.encode(features, lengths)
        logits = self.joiner(frames, self.predictor(tokens)).float()
        transducer = rnnt_loss(logits, tokens.int(), frame_lengths.int(), token_lengths.int(),
                               blank=BLANK, reduction="sum")
        if self.ctc is None:
            return transducer, None
        log_probs = self.ctc(frames).float().log_softmax(-1).transpose(0, 1)
        return transducer, F.ctc_loss(log_probs, tokens, frame_lengths, token_lengths, blank=BLANK,
                                      reduction="sum", zero_infinity=True)

    @torch.no_grad()
    def greedy(self, features, lengths, most_symbols=3):
        """Lists of tokens."""
        texts = []
        frames, frame_lengths = self.encode(features, lengths)
        for row, length in zip(frames, frame_lengths.tolist()):
            labels, width = [], self.predictor.context
            predicted = self.predictor(torch.zeros(1, 0, dtype=torch.long))
            for t in range(length):
                for _ in range(most_symbols):
                    best = self.joiner(row[None, t:t + 1], predicted).argmax().item()
                    if best == BLANK:
                        break
                    labels.append(best)
                    predicted = self.predictor(torch.tensor([labels[-width:]]))[:, -1:]
            texts.append(labels)
        return texts

    def load_scion(self, path):
        """Loads the weights of a scion model file."""
        from safetensors.torch import load_file

        renamed = {"features.mean": "feature_mean", "features.deviation": "feature_deviation"}
        parts = {".in.": ".input.", ".out.": ".output.", ".convolution_norm.": ".batch_norm.",
                 "running_variance": "running_var", "predictor.embedding": "predictor.embedding.weight"}
        state = {}
        for name, tensor in load_file(path).items():
            name = renamed.get(name, name)
            for theirs, ours in parts.items():
                name = name.replace(theirs, ours)
            state[name] = tensor
        own = self.state_dict()
        counts = {name for name in own if name.endswith("num_batches_tracked")}
        missing = own.keys() - state.keys() - counts
        if missing:
            raise KeyError(f"{path} lacks {sorted(missing)}")
        self.load_state_dict({name: state.get(name, own[name]) for name in own})


def read_metadata(path):
    """The metadata of a model file."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(size))["__metadata__"]
