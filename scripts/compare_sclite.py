#!/usr/bin/env python3
"""Compares `scion score` with NIST's sclite (Debian package sctk), utterance by utterance.

compare_sclite.py SCION FOLDER [--verbose]
FOLDER is src/sclite/testdata of https://github.com/usnistgov/SCTK. Prints, for every pair of files,
the utterances, those whose counts of correct, substituted, deleted and inserted words are equal, and
those whose printed alignments are equal. sclite's own costs are used (--costs nist), optional words
are deletable (-D), letter case is ignored.
"""
import os
import re
import subprocess
import sys

SCLITE = "/usr/lib/sctk/bin/sclite"
TRN = ["-i", "spu_id"]
PAIRS = [  # name, reference, its form, hypothesis, its form, sclite's further options, scion's
    ("demo", "demo.ref.txt", "trn", "demo.hyp.txt", "trn", TRN, []),
    ("test1", "csrnab.ref", "trn", "csrnab.hyp", "trn", ["-i", "wsj"], []),
    ("test3", "lvc_ref.stm", "stm", "lvc_hyp.ctm", "ctm", [], []),
    ("test7", "tests.ref", "trn", "tests.hyp", "trn", TRN, []),
    ("test7_r", "tests.hyp", "trn", "tests.ref", "trn", TRN, []),
    ("test7_F", "tests.ref", "trn", "tests.hyp", "trn", TRN + ["-F"], ["--fragments"]),
    ("test13", "tima_ref.ctm", "ctm", "tima_hyp.ctm", "ctm", [], []),
    ("test15", "test.cantonese.stm", "stm", "test.cantonese.ctm", "ctm", ["-e", "utf-8"], []),
    ("turkish", "test.turkish.ref", "trn", "test.turkish.hyp", "trn", TRN + ["-e", "utf-8"], []),
    ("ukranian", "test.ukranian.ref", "trn", "test.ukranian.hyp", "trn", TRN + ["-e", "utf-8"], []),
    ("vietnamese", "test.vietnamese.ref.trn", "trn", "test.vietnamese.hyp.trn", "trn",
     TRN + ["-e", "utf-8"], []),
    ("missing", "stm2ctm_missing.ref.stm", "stm", "stm2ctm_missing.hyp.ctm", "ctm", [], []),
] + [
    (f"missing-{name}", "stm2ctm_missing.ref.stm", "stm", f"stm2ctm_missing.hyp-{name}.ctm", "ctm",
     [], ["--missing-as-empty"])
    for name in ("missfile1", "missfile1chanA", "missfile1chanb", "missfile2", "missfile2chanA",
                 "missfile2chanB")
]


def blocks(text):
    """Alignments by id: their counts, and their lines."""
    found = {}
    for block in re.findall(r"^id: \(.*\)\nScores:.*\n.*\n.*\nEval:.*$", text, re.M):
        lines = [line for line in block.split("\n")
                 if re.match(r"(id:|Scores:|REF:|HYP:|Eval:)", line)]
        key = lines[0].lower()
        found[key] = (tuple(lines[1].split()[-4:]), [" ".join(line.split()) for line in lines[2:]])
    return found


def run(command):
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    return result.stdout, result.stderr


def compare(scion, pair, verbose):
    name, ref, ref_form, hyp, hyp_form, sclite_options, scion_options = pair
    sclite_out, _ = run([SCLITE, "-r", ref, ref_form, "-h", hyp, hyp_form, "-D", "-f", "0",
                         "-o", "pra", "stdout"] + sclite_options)
    sclite_out = re.sub(r"^(Labels|File|Channel|Ref times|Speaker sentences).*\n", "", sclite_out,
                        flags=re.M)
    out, error = run([scion, "score", "--ref", ref, "--hyp", hyp, "--ref-format", ref_form,
                      "--hyp-format", hyp_form, "--case", "lower", "--costs", "nist", "--sclite"] +
                     scion_options)
    theirs, ours = blocks(sclite_out), blocks(out)
    if not ours:
        print(f"{name:24} {error.strip().splitlines()[0] if error.strip() else 'nothing'}")
        return
    both = [key for key in theirs if key in ours]
    counts = [key for key in both if theirs[key][0] == ours[key][0]]
    printed = [key for key in both if theirs[key] == ours[key]]
    print(f"{name:24} {len(theirs):5} in sclite {len(ours):5} in scion {len(counts):5} equal counts "
          f"{len(printed):5} equal alignments")
    for key in both if verbose else []:
        if theirs[key] != ours[key]:
            print("  ", key, theirs[key][0], ours[key][0])
            for line in zip(*[theirs[key][1], ours[key][1]]):
                print("     sclite", line[0], "\n     scion ", line[1])


def main():
    scion, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.chdir(folder)
    for pair in PAIRS:
        compare(scion, pair, "--verbose" in sys.argv)


if __name__ == "__main__":
    main()
