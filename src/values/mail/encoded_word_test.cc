#include "values/mail/encoded_word.h"

#include <random>

#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::mail {
namespace {

struct WordCase {
  std::string_view name, in, out;
};

TEST(EncodedWords, are_written_where_needed) {
  const WordCase cases[] = {
      {"ascii", "Hello, world", "Hello, world"},
      {"umlaut",
       "Gr\xC3\xBC\xC3\x9F"
       "e",
       "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="},
      {"only what must be", "Re: gr\xC3\xBCn (urgent)", "Re: =?UTF-8?Q?gr=C3=BCn?= (urgent)"},
      {"space between encoded words is inside",
       "\xC3\xBC a \xC3\xBC x",
       "=?UTF-8?Q?=C3=BC_a_=C3=BC?= x"},
      {"mostly beyond ascii", "\xE0\xA4\xA1\xE0\xA4\xBE\xE0\xA4\x95", "=?UTF-8?B?4KSh4KS+4KSV?="},
      {"looks encoded", "=?UTF-8?Q?a?=", "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fa=3F=3D?="},
      {"line end", "a\r\nBcc: b", "a  Bcc: b"},
      {"broken utf-8", "\xFF", "=?UTF-8?B?77+9?="},
      {"leading space", " a", "=?UTF-8?Q?_a?="},
      {"empty", "", ""},
  };
  for (const auto& [name, in, out] : cases) EXPECT_EQ(encode_unstructured(in), out) << name;
}

TEST(EncodedWords, are_decoded_tolerantly) {
  const WordCase cases[] = {
      {"Q", "=?utf-8?q?a=C3=BC_b?=", "a\xC3\xBC b"},
      {"B", "=?UTF-8?B?w7w=?=", "\xC3\xBC"},
      {"B without padding", "=?UTF-8?B?w7w?=", "\xC3\xBC"},
      {"latin-1", "=?ISO-8859-1?Q?gr=FCn?=", "gr\xC3\xBCn"},
      {"windows-1252 quotes",
       "=?iso-8859-1?q?=93a=94?=",
       "\xE2\x80\x9C"
       "a\xE2\x80\x9D"},
      {"us-ascii",
       "=?us-ascii?Q?a=FFb?=",
       "a\xEF\xBF\xBD"
       "b"},
      {"language", "=?utf-8*de?q?=C3=BC?=", "\xC3\xBC"},
      {"joined", "=?utf-8?q?a?= \r\n =?utf-8?q?b?= c", "ab c"},
      {"character cut between words", "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xC3\xBC"},
      {"broken utf-8", "=?utf-8?q?=C3?=x", "\xEF\xBF\xBDx"},
      {"plain around", "Re: =?utf-8?q?=C3=BC?= ok", "Re: \xC3\xBC ok"},
      {"control characters", "=?utf-8?q?a=00=0Ab?=", "a  b"},
      {"unknown charset", "=?koi8-r?q?a?= b", "=?koi8-r?q?a?= b"},
      {"unknown encoding", "=?utf-8?x?a?=", "=?utf-8?x?a?="},
      {"bad base64", "=?utf-8?b?%%?=", "=?utf-8?b?%%?="},
      {"bad hex", "=?utf-8?q?=ZZ=?=", "=ZZ="},
      {"unfinished", "=?utf-8?q?abc", "=?utf-8?q?abc"},
      {"only a start", "=?", "=?"},
      {"nothing", "", ""},
  };
  for (const auto& [name, in, out] : cases) EXPECT_EQ(decode_encoded_words(in), out) << name;
}

TEST(EncodedWords, are_quick_to_decode_in_hostile_text) {
  std::string text;
  while (text.size() < 300'000) text += "=?utf-8?q?x";
  EXPECT_TRUE(decode_encoded_words(text) == text);
}

std::string random_text(std::mt19937& random) {
  constexpr char32_t alphabet[] = {U'a',
                                   U'Z',
                                   U' ',
                                   U' ',
                                   U'?',
                                   U'=',
                                   U'_',
                                   U'"',
                                   U'\u00FC',
                                   U'\u0921',
                                   U'\u4E2D',
                                   U'\U0001F4EE',
                                   U',',
                                   U'\\',
                                   U'.',
                                   U'-'};
  std::string text;
  const auto size = std::uniform_int_distribution<int>(0, 120)(random);
  for (int i = 0; i < size; ++i) {
    text += text::utf8_encode(alphabet[std::uniform_int_distribution<std::size_t>(0, 15)(random)]);
  }
  return text;
}

TEST(EncodedWords, read_back_what_was_written_even_when_folded) {
  constexpr unsigned seed = 2047;
  std::mt19937 random(seed);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(random);
    const std::string encoded = encode_unstructured(text);
    EXPECT_TRUE(text::is_ascii(encoded));
    EXPECT_EQ(decode_encoded_words(encoded), text) << "seed " << seed << " case " << i;
    const std::string folded = field("Subject", encoded);
    const auto header = HeaderFields::parse(folded);
    ASSERT_TRUE(header);
    EXPECT_EQ(decode_encoded_words(header->body_of("Subject")), text) << folded;
    if (text::is_ascii(text)) continue;
    for (const auto line : text::split(folded, '\n')) {
      // A word of plain ASCII may be longer than a line; an encoded one never is.
      if (line.contains("=?UTF-8?")) {
        EXPECT_LE(line.size(), 77U) << folded;
      }
    }
  }
}

TEST(EncodedWords, never_cut_a_character) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\xE2\x82\xAC";
  const std::string encoded = encode_unstructured(text);
  for (const auto word : text::words(encoded)) {
    EXPECT_LE(word.size(), 75U);
    EXPECT_FALSE(decode_encoded_words(word).contains("\xEF\xBF\xBD")) << word;
  }
}

TEST(Phrase, is_atoms_quotes_or_encoded_words) {
  EXPECT_EQ(encode_phrase("John Doe"), "John Doe");
  EXPECT_EQ(encode_phrase("Doe, John"), "\"Doe, John\"");
  EXPECT_EQ(encode_phrase("a \"b\" \\c"), R"("a \"b\" \\c")");
  EXPECT_EQ(encode_phrase("J\xC3\xB6rg (x)"), "=?UTF-8?Q?J=C3=B6rg_=28x=29?=");
  EXPECT_EQ(encode_phrase(""), "");
}

}  // namespace
}  // namespace tapal::mail
