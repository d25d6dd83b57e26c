#!/usr/bin/env bash
# libsndfile 1.2.2 (python-soundfile 0.13.1): the frame count of an MP3 of variable rate without a Xing
# frame is the file's size over the first frame's, and reading stops there, without an error.
#
# Seen: 3 s at 128 kbit/s followed by 3 s at 16 kbit/s are 99072 samples for ffmpeg (PyAV 18.1.0) and
# dr_mp3 (miniaudio 1.71); soundfile gives 55728 samples. In the other order it announces 445824 frames
# and reads 99072. Streams and pipes have such files: the Xing frame is written by seeking back.
# What scion does: it walks the frames and decodes them with libmpg123 (scion/audio/containers).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install numpy==2.4.6 soundfile==0.13.1 lameenc==1.9.0 av==18.1.0 miniaudio==1.71
"$folder/venv/bin/python" - <<'PYTHON'
import io
import av, lameenc, miniaudio, numpy, soundfile

rate = 16000
time = numpy.arange(3 * rate) / rate
tone = (0.3 * 32767 * numpy.sin(2 * numpy.pi * 440 * time)).astype("<i2").tobytes()

def mp3(kilobits):
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(1)
    encoder.set_bit_rate(kilobits)
    return bytes(encoder.encode(tone) + encoder.flush())

def ffmpeg_samples(data):
    with av.open(io.BytesIO(data)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))

def row(data):
    announced = soundfile.info(io.BytesIO(data)).frames
    read = len(soundfile.read(io.BytesIO(data))[0])
    dr_mp3 = len(miniaudio.decode(data, nchannels=1, sample_rate=rate).samples)
    return announced, read, ffmpeg_samples(data), dr_mp3

low, high = mp3(16), mp3(128)
print("libsndfile", soundfile.__libsndfile_version__)
print("order        announced    read  ffmpeg  dr_mp3")
falling, rising = row(high + low), row(low + high)
print("128 then 16 ", "%9d %7d %7d %7d" % falling)
print("16 then 128 ", "%9d %7d %7d %7d" % rising)
assert falling == (55728, 55728, 99072, 99072), "the behaviour has changed"
assert rising == (445824, 99072, 99072, 99072), "the behaviour has changed"
PYTHON
