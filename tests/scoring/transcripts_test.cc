#include "scion/scoring/transcripts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/scoring/score.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Transcripts, ReadsKaldiText) {
  const auto transcripts =
      parse_transcripts("a-1\tone  two\nb-2 three\tfour\r\n\nc-3\n", Role::reference, "x");
  ASSERT_EQ(transcripts.size(), 3);
  EXPECT_EQ(transcripts[0].id, "a-1");
  EXPECT_EQ(transcripts[0].text, "one two");
  EXPECT_EQ(transcripts[1].text, "three four");
  EXPECT_EQ(transcripts[2].id, "c-3");
  EXPECT_EQ(transcripts[2].text, "");
}

TEST(Transcripts, ReadsJsonLines) {
  const std::string lines = R"({"id": "a", "text": "one two", "pred_text": "one", "speaker": "s"})"
                            "\n"
                            R"({"id": 7, "text": "three", "speaker": 12})"
                            "\n";
  const auto references = parse_transcripts(lines, Role::reference, "x");
  EXPECT_EQ(references[0].text, "one two");
  EXPECT_EQ(references[0].speaker, "s");
  EXPECT_EQ(references[1].id, "7");
  EXPECT_EQ(references[1].speaker, "12");
  const auto hypotheses =
      parse_transcripts(lines.substr(0, lines.find('\n')), Role::hypothesis, "x");
  EXPECT_EQ(hypotheses[0].text, "one");
  // The reference's text must not pass for what was recognised.
  const auto message = [](const std::string& content) {
    return message_of<UserError>([&] { parse_transcripts(content, Role::hypothesis, "x"); });
  };
  EXPECT_EQ(message(lines), "'pred_text' is missing in line 2 of x, though others have it");
  EXPECT_EQ(message(R"({"id": 1, "text": "a", "pred_text": null})"),
            "'pred_text' is missing in line 1 of x");
}

TEST(Transcripts, NamesTheBadLine) {
  const auto parse = [](const char* text) {
    return message_of<UserError>([&] { parse_transcripts(text, Role::reference, "refs.txt"); });
  };
  EXPECT_EQ(parse("a x\nb y\na z\n"), "id 'a' occurs again in line 3 of refs.txt");
  EXPECT_EQ(parse("{\"id\": \"a\", \"text\": \"\"}\n{\"id\"\n"), "line 2 of refs.txt is not JSON");
  // A number that no double holds: found by fuzzing.
  EXPECT_EQ(parse("{\"id\": 1e999, \"text\": \"\"}\n"), "line 1 of refs.txt is not JSON");
  EXPECT_EQ(parse("{\"id\": \"a\"}"), "'text' is missing in line 1 of refs.txt");
  EXPECT_EQ(parse("{\"text\": \"a\"}"),
            "'id' or 'audio_filepath' is missing in line 1 of refs.txt");
  EXPECT_EQ(parse("{\"id\": \"a\", \"text\": [1]}"),
            "'text' is array in line 1 of refs.txt, not text");
  EXPECT_EQ(parse(" \n"), "no transcripts in refs.txt");
}

TEST(Transcripts, ReadsWhatPythonWrites) {
  const std::string content =
      R"([{"id": "a", "text": "NaN \" NaN", "x": NaN, "speaker": null},
          {"audio_filepath": "f.wav", "offset": 1.5, "text": "two", "y": [-Infinity, Infinity]}])";
  const auto transcripts = parse_transcripts(content, Role::reference, "x");
  ASSERT_EQ(transcripts.size(), 2);
  EXPECT_EQ(transcripts[0].text, "NaN \" NaN");
  EXPECT_EQ(transcripts[0].speaker, "");
  EXPECT_EQ(transcripts[1].id, "f.wav@1.5");
  EXPECT_EQ(message_of<UserError>([] { parse_transcripts("[1]", Role::reference, "x"); }),
            "'id' or 'audio_filepath' is missing in object 1 of x");
}

TEST(Transcripts, WhiteSpaceIsTheSameInEveryForm) {
  const std::string json = R"({"id": "u", "text": "one\u00a0two\tthree\u3000four\n"})";
  for (const std::string& content : {std::string("u\tone\u00A0two\tthree\u3000four"), json}) {
    const SetScore result =
        score({{"u", "one two three four"}}, parse_transcripts(content, Role::hypothesis, "x"));
    EXPECT_EQ(result.words, (ErrorCounts{0, 0, 0, 4}));
    EXPECT_EQ(result.characters.errors(), 0);
  }
}

class TranscriptFiles : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) const {
    write_file(folder_ / name, content);
    return (folder_ / name).string();
  }
  std::string error_of_file(const std::string& name, const std::string& content) const {
    const std::string path = write(name, content);
    return error_of<UserError>([&] { read_transcripts(path, Role::reference); });
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(TranscriptFiles, TheExtensionThenTheLinesThenTheOptionDecide) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.trn", "one two (u)\n"},
      {"b.txt", ";; comment\none two (u)\n"},
      {"brace.txt", "{ one / a } two (u)\n"},
      {"a.ctm", "u 1 0 1 one\nu 1 1 1 two\n"},
      {"c.txt", "u 1 0.00 0.50 one\nu 1 1.00 0.50 two 0.9\n"},
      {"d.txt", "u one two\n"},
      {"e.json", R"([{"id": "u", "text": "one two"}])"}};
  for (const auto& [name, content] : files) {
    const auto transcripts = read_transcripts(write(name, content), Role::reference);
    ASSERT_EQ(transcripts.size(), 1) << name;
    EXPECT_EQ(transcripts[0].id, "u") << name;
    EXPECT_TRUE(transcripts[0].text.ends_with("two")) << name;
  }
  // Kaldi text: what is in parentheses occurs again; times have no points.
  const auto noises =
      read_transcripts(write("f.txt", "u1 a (noise)\nu2 b (noise)\n"), Role::reference);
  EXPECT_EQ(noises[1].id, "u2");
  EXPECT_EQ(read_transcripts(write("g.txt", "u1 1 2 3 4\n"), Role::reference)[0].text, "1 2 3 4");
  EXPECT_EQ(read_transcripts(write("h.txt", "u (v)\n"), Role::reference, "text")[0].id, "u");
}

TEST_F(TranscriptFiles, OtherFormsAreRefusedByName) {
  EXPECT_THAT(error_of_file("a.csv", "id,text\nu,one\n"), HasSubstr("a.csv is a table"));
  EXPECT_THAT(error_of_file("a.rttm", "SPEAKER f 1 0 1 <NA> <NA> s\n"), HasSubstr("turns"));
  EXPECT_THAT(error_of_file("a.glm", "a => b\n"), HasSubstr("--glm"));
  EXPECT_THAT(error_of_file("a.stm", "f 1 s 0 1 one\n"),
              AllOf(HasSubstr(".stm"), HasSubstr(".ctm")));
  EXPECT_THAT(error_of_file("a.txt", "f 1 s 0.0 1.0 one\n"), HasSubstr("a.txt is an .stm"));
  EXPECT_THAT(error_of_file("b.txt", "path\tsentence\na.mp3\tone\n"),
              HasSubstr("header of a table"));
}

TEST_F(TranscriptFiles, TextsThatAreNotUtf8AreRefusedWithTheirLine) {
  for (const char* name : {"a.trn", "a.ctm", "a.txt", "a.jsonl"})
    EXPECT_THAT(error_of_file(name, "u one\nu caf\xE9 (u)\n"),
                AllOf(HasSubstr(":2"), HasSubstr("iconv")))
        << name;
}

TEST_F(TranscriptFiles, ChannelsOfBothSidesAreMatched) {
  const ScoredFiles files{write("r.ctm", "call A 0 1 hello\ncall B 1 1 hi\nx 1 0 1 one\n"),
                          write("h.ctm", "call A 0 1 hello\nx A 0 1 one\n")};
  const TranscriptPair pair = read_transcript_pair(files);
  EXPECT_EQ(pair.references[0].id, "call-A");
  EXPECT_EQ(pair.references[2].id, "x");
  EXPECT_EQ(pair.hypotheses[0].id, "call-A");
  EXPECT_EQ(pair.hypotheses[1].id, "x");
  EXPECT_EQ(message_of<UserError>([&] { score(pair.references, pair.hypotheses); }),
            "1 of 3 references have no hypothesis: call-B");
}

TEST_F(TranscriptFiles, AnStmNeedsHypothesesWithTimes) {
  ScoredFiles files{write("r.stm", "f 1 s 0 1 one\n"), write("h.trn", "one (s-000)\n")};
  EXPECT_THAT(error_of<UserError>([&] { read_transcript_pair(files); }),
              HasSubstr("hypotheses with times"));
  std::swap(files.references, files.hypotheses);
  EXPECT_THAT(error_of<UserError>([&] { read_transcript_pair(files); }),
              HasSubstr("holds references"));
}

TEST_F(TranscriptFiles, RulesApplyToBothSides) {
  ScoredFiles files{write("r.stm", "f 1 s 0 2 <o,f0> UM i'm (uh) going to\n"),
                    write("h.ctm", "f 1 0 .2 Uh\nf 1 .3 .2 i'm\nf 1 .6 .2 gonna\n")};
  files.rules = write("x.glm",
                      "* case_sensitive = 'F'\n"
                      "UM => %HESITATION / [ ] __ [ ] ;; comment\nUH => %HESITATION / [ ] __ [ ]\n"
                      "GONNA => GOING TO\n;; INPUT_DEPENDENT_APPLICATION = \"ctm\"\n"
                      "[I'M] => [{I'M / I AM}] / [ ] __ [ ]\n");
  const TranscriptPair pair = read_transcript_pair(files);
  EXPECT_EQ(pair.references[0].text, "%hesitation i'm ( %hesitation ) going to");
  EXPECT_EQ(pair.hypotheses[0].text, "%hesitation {i'm / i am} going to");
  EXPECT_EQ(score(pair.references, pair.hypotheses).words, (ErrorCounts{0, 0, 0, 5}));
}

TEST_F(TranscriptFiles, Utt2spk) {
  EXPECT_EQ(read_utt2spk(write("utt2spk", "a-1 a\nb-1\tb\n")).at("b-1"), "b");
  EXPECT_THAT(error_of<UserError>([&] { read_utt2spk(write("utt2spk", "a\n")); }),
              HasSubstr("1 fields in line 1"));
}

}  // namespace
}  // namespace scion
