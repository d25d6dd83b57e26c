#!/usr/bin/env bash
# libsndfile 1.2.2 (python-soundfile 0.13.1): the reason why a file does not open is kept in one place for
# the whole process, not per thread, and every opening overwrites it, also one that succeeds.
#
# Seen: sf_open() of a text file fails in one thread, another thread opens a WAV file, and the first
# thread's sf_error(NULL) is 0, sf_strerror(NULL) "No Error.". python-soundfile asks in just that way: beside
# a thread that reads, 2 of 3000 refusals of the text file are "(Garbled error message from libsndfile)",
# which is what it makes of 0; with two kinds of bad files one can get the other's reason. Errors of an open
# file (sf_error(file)) are its own.
# What scion does: a file that does not open is opened again while no other thread opens one
# (scion/audio/sound_file.cc).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install numpy==2.4.6 soundfile==0.13.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import threading

import numpy
import soundfile

folder = sys.argv[1]
good, bad = folder + "/good.wav", folder + "/bad.wav"
soundfile.write(good, numpy.zeros(1600), 16000)
with open(bad, "w") as file:
    file.write("no audio\n" * 20)

library, ffi = soundfile._snd, soundfile._ffi


def opened(path):
    info = ffi.new("SF_INFO*")
    return library.sf_open(path.encode(), 0x10, info)


def in_another_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def reason():
    return library.sf_error(ffi.NULL), ffi.string(library.sf_error_number(library.sf_error(ffi.NULL))).decode()


assert opened(bad) == ffi.NULL
alone = reason()
handle = in_another_thread(lambda: opened(good))
assert handle != ffi.NULL
after = reason()
print("libsndfile", soundfile.__libsndfile_version__)
print("after the failure:                  ", alone)
print("after an opening in another thread: ", after)

done = False


def read_on():
    while not done:
        soundfile.read(good)


reasons = {}
other = threading.Thread(target=read_on)
other.start()
for _ in range(3000):
    try:
        soundfile.read(bad)
    except soundfile.LibsndfileError as error:
        reasons[error.error_string] = reasons.get(error.error_string, 0) + 1
done = True
other.join()
print("3000 readings of the text file beside a thread that reads the WAV file:", reasons)
assert alone == (1, "Format not recognised.") and after == (0, "No Error."), "the behaviour has changed"
PYTHON
