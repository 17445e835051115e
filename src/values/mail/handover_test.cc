#include "values/mail/handover.h"

#include <gtest/gtest.h>

namespace tapal::mail {
namespace {

using Kind = Handover::Kind;

TEST(Handover, is_told_in_words_that_keep_secrets) {
  const struct {
    Handover handover;
    std::string_view words;
  } cases[] = {
      {{}, ""},
      {{Kind::host, "mx.example:2525", {}}, "host mx.example:2525"},
      {{Kind::lmtp, "unix:/run/lmtp", {}}, "LMTP unix:/run/lmtp"},
      {{Kind::maildir, "/srv/box", {}}, "Maildir /srv/box"},
      {{Kind::program, {}, {"/bin/tool", "--password", "x"}}, "program /bin/tool"},
      {{Kind::program, {}, {}}, "program "},
      {{Kind::http, "https://hooks.example/T0/secret?key=1", {}}, "HTTP https://hooks.example"},
      {{Kind::http, "http://me:secret@[::1]:81/x", {}}, "HTTP http://[::1]:81"},
      {{Kind::http, "https://hooks.example?key=1", {}}, "HTTP https://hooks.example"},
      {{Kind::http, "http+unix:///run/x.sock:/secret", {}}, "HTTP http+unix:///run/x.sock"},
      {{Kind::http, "nonsense", {}}, "HTTP "},
  };
  for (const auto& c : cases) EXPECT_EQ(place_text(c.handover), c.words);
}

}  // namespace
}  // namespace tapal::mail
