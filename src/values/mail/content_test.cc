#include "values/mail/content.h"

namespace tapal::mail {
namespace {

ContentFacts scan(std::string_view message, std::size_t cut) {
  ContentScanner scanner;
  scanner.on_bytes(message.substr(0, cut));
  scanner.on_bytes(message.substr(cut));
  return scanner.finish();
}

struct FactCase {
  std::string_view name;
  std::string message;
  ContentFacts facts;
};

std::vector<FactCase> fact_cases() {
  return {
      {"plain", "A: 1\r\n\r\nhello\r\n", {.bytes = 15, .header_bytes = 6, .longest_line = 5}},
      {"empty", "", {}},
      {"no body", "A: 1\r\n", {.bytes = 6, .header_bytes = 6, .longest_line = 4}},
      {"no final line end", "A: 1", {.bytes = 4, .header_bytes = 4, .longest_line = 4}},
      {"8-bit body",
       "A: 1\r\n\r\n\xC3\xBC\r\n",
       {.body_has_8bit = true, .bytes = 12, .header_bytes = 6, .longest_line = 4}},
      {"8-bit header",
       "A: \xC3\xBC\r\n\r\n",
       {.header_has_8bit = true, .bytes = 9, .header_bytes = 7, .longest_line = 5}},
      {"NUL",
       std::string("A: 1\r\n\r\n\0\r\n", 11),
       {.has_nul = true, .bytes = 11, .header_bytes = 6, .longest_line = 4}},
      {"bare CR",
       "A: 1\r\n\r\na\rb\r\n",
       {.has_bare_cr = true, .bytes = 13, .header_bytes = 6, .longest_line = 4}},
      {"two CR",
       "A: 1\r\n\r\na\r\r\n",
       {.has_bare_cr = true, .bytes = 12, .header_bytes = 6, .longest_line = 4}},
      {"CR at the end",
       "A: 1\r\n\r\na\r",
       {.has_bare_cr = true, .bytes = 10, .header_bytes = 6, .longest_line = 4}},
      {"bare LF",
       "A: 1\r\n\r\na\nb\r\n",
       {.has_bare_lf = true, .bytes = 13, .header_bytes = 6, .longest_line = 4}},
      {"bare LF does not end the header",
       "A: 1\n\nb\r\n",
       {.has_bare_lf = true, .bytes = 9, .header_bytes = 9, .longest_line = 7}},
      {"hops",
       "Received: a\r\nRECEIVED: b\r\n received: c\r\nX-Received: d\r\nReceive: e\r\n\r\nReceived: "
       "f\r\n",
       {.bytes = 82, .header_bytes = 67, .longest_line = 13, .received_fields = 2}},
  };
}

TEST(ContentFacts, are_the_same_however_the_bytes_are_cut) {
  for (const auto& [name, message, facts] : fact_cases()) {
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
      const ContentFacts found = scan(message, cut);
      EXPECT_EQ(found, facts) << name << " cut at " << cut << ": bytes " << found.bytes
                              << " header " << found.header_bytes << " longest "
                              << found.longest_line << " hops " << found.received_fields;
    }
  }
}

}  // namespace
}  // namespace tapal::mail
