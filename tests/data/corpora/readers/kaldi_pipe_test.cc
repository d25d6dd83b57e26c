#include "scion/data/corpora/readers/kaldi_pipe.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/data/corpora/corpus.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

TEST(KaldiPipe, CommandsThatOnlyDecodeNameTheirFile) {
  EXPECT_EQ(piped_file("flac -c -d -s /a/b.flac |"), PipedFile{"/a/b.flac"});
  EXPECT_EQ(piped_file("flac -cds 'a b.flac' 2>/dev/null |"), PipedFile{"a b.flac"});
  EXPECT_EQ(piped_file("flac --decode --stdout --silent a\\ b.flac|"), PipedFile{"a b.flac"});
  EXPECT_EQ(piped_file("/opt/sph2pipe_v2.5/sph2pipe -f wav x.sph |"), PipedFile{"x.sph"});
  EXPECT_EQ(piped_file("sph2pipe -f wav -p -c 2 \"x.sph\" |"), (PipedFile{"x.sph", 1}));
  EXPECT_EQ(piped_file("sph2pipe -f rif -c 1 x.sph |"), (PipedFile{"x.sph", 0}));
  EXPECT_EQ(piped_file("cat x.wav |"), PipedFile{"x.wav"});
  EXPECT_EQ(piped_file("sox -t mp3 x.mp3 -t wav -b 16 - |"), PipedFile{"x.mp3"});
}

TEST(KaldiPipe, CommandsThatDoMoreAreNotUnderstood) {
  for (const char* command : {"sox x.wav -t wav - speed 1.1 |",
                              "sox x.wav -r 8000 -t wav - |",
                              "sox x.wav -t raw - |",
                              "sox -v 0.5 x.wav -t wav - |",
                              "sox x.wav -c 1 -t wav - |",
                              "sox a.wav b.wav -t wav - |",
                              "ffmpeg -i x.mp4 -f wav - |",
                              "cat x.wav y.wav |",
                              "cat x.wav | sox - -t wav - |",
                              "cat $HOME/x.wav |",
                              "cat x.wav; rm y |",
                              "cat *.wav |",
                              "flac -c -s x.flac |",
                              "flac -d -c --skip=10 x.flac |",
                              "sph2pipe -f wav -t 1:2 x.sph |",
                              "sph2pipe -f raw x.sph |",
                              "sph2pipe -u x.sph |",
                              "sph2pipe -c 3 x.sph |",
                              "sph2pipe -f |",
                              "flac -c -d -s |",
                              "cat 'x.wav |",
                              "cat < x.wav |",
                              "gunzip -c x.wav.gz |",
                              "|",
                              ""})
    EXPECT_EQ(piped_file(command), std::nullopt) << command;
}

TEST(KaldiPipe, TheFileOfAPipeIsReadWithItsChannel) {
  const TemporaryFolder folder;
  write_text(folder / "a.flac", "x");
  write_text(folder / "wav.scp",
             "a flac -c -d -s a.flac |\nb sph2pipe -f wav -p -c 2 /abs/b.sph |\n");
  write_text(folder / "text", "a one\nb two\n");
  const Corpus corpus = read_corpus(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 2U);
  EXPECT_EQ(corpus.utterances[0].audio, folder / "a.flac");
  EXPECT_EQ(corpus.utterances[0].part.channel, -1);
  EXPECT_EQ(corpus.utterances[1].audio, "/abs/b.sph");
  EXPECT_EQ(corpus.utterances[1].part.channel, 1);
  write_text(folder / "segments", "a-1 a 0 1\nb-1 b 1 2\n");
  write_text(folder / "text", "a-1 one\nb-1 two\n");
  EXPECT_EQ(read_corpus(folder.path()).utterances.at(1).part, (AudioPart{1, 1, 1}));
}

}  // namespace
}  // namespace scion
