#include "scion/interchange/zip_archive.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/interchange/zip_writer.h"

namespace scion {
namespace {

TEST(ZipArchive, ReadsStoredEntriesInNarrowAndWideForm) {
  for (const bool wide : {false, true}) {
    const std::string bytes = testing::zip_of({{"a/one", "first"}, {"a/two", ""}}, wide);
    const ZipArchive archive(bytes, "f");
    EXPECT_EQ(archive.entries().size(), 2U);
    EXPECT_EQ(archive.at("a/one"), "first");
    EXPECT_EQ(archive.at("a/two"), "");
    EXPECT_THROW(archive.at("a/three"), UserError);
  }
}

TEST(ZipArchive, IsRefusedWhereverItIsCutShort) {
  const std::string bytes = testing::zip_of({{"one", "first"}, {"two", "second"}});
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(ZipArchive(std::string_view(bytes).substr(0, size), "f"), UserError) << size;
}

TEST(ZipArchive, EntriesCannotBeLargerThanTheFile) {
  std::string bytes = testing::zip_of({{"one", "first"}});
  const size_t entry = bytes.find("PK\x01\x02");
  bytes.replace(entry + 20, 8, std::string("\xff\0\0\0\xff\0\0\0", 8));
  EXPECT_THROW(ZipArchive(bytes, "f"), UserError);
}

TEST(ZipArchive, SeveralEntriesOfOnePlaceAreRefused) {
  const std::string content(200, 'x');
  std::string bytes = testing::zip_of({{"one", content}, {"two", content}, {"six", content}});
  EXPECT_NO_THROW(ZipArchive(bytes, "f"));
  bytes.erase(0, bytes.find("PK\x01\x02") - 240);  // two of three contents are gone
  EXPECT_THROW(ZipArchive(bytes, "f"), UserError);
}

TEST(ZipArchive, CompressedEntriesAreRefusedByName) {
  std::string bytes = testing::zip_of({{"one", "first"}});
  bytes[bytes.find("PK\x01\x02") + 10] = 8;
  try {
    ZipArchive(bytes, "f").at("one");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("'one' is compressed"), std::string::npos);
  }
}

}  // namespace
}  // namespace scion
