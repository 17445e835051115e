#include "services/intake/incoming_message.h"

#include <gtest/gtest.h>

#include "ports/memory_store.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_key_zone.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

const Client stranger{Client::Standing::stranger, {}};
const Client trusted{Client::Standing::trusted, {}};
const Client alice{Client::Standing::user, "alice@own.example"};

std::string text_of(const Body& body) {
  std::string text(static_cast<std::size_t>(body.size()), '\0');
  EXPECT_EQ(body.read(0, text).value_or(0), text.size());
  return text;
}

// A message as the spool has it, or the refusal.
struct Kept {
  std::string text;
  queue::Message message;
  std::string refusal;

  // Our own fields on top, and what follows them.
  std::string received() const { return top().substr(top().find("Received:")); }
  std::string rest() const { return text.substr(top().size()); }

 private:
  std::string top() const {  // through the Received field
    auto end = text.find("Received:");
    do end = text.find("\r\n", end) + 2;
    while (end < text.size() && (text[end] == ' ' || text[end] == '\t'));
    return text.substr(0, end);
  }
};

struct World {
  VirtualLoop loop;
  MemoryStore store;
  ReturnPaths return_paths{store.records};
  Options options{.host_name = "mx.own.example"};
  std::shared_ptr<Domains> domains = std::make_shared<Domains>(test_domains());
  std::uint64_t seed = 1;

  static mail::Envelope envelope() {
    mail::Envelope made{.return_path = address("alice@own.example")};
    made.recipients.push_back({.address = address("x@far.example")});
    return made;
  }
  Kept take(const Client& client,
            const std::vector<std::string_view>& pieces,
            mail::Envelope envelope = World::envelope()) {
    SeededRandom random(seed);
    Sender sender{client,
                  Endpoint::from_text("192.0.2.7:4000").value(),
                  "client.example",
                  envelope.return_path};
    std::vector<Placed> recipients;
    for (auto& recipient : std::exchange(envelope.recipients, {}))
      recipients.push_back({.recipient = std::move(recipient)});
    IncomingMessage incoming({options, loop, random, store, return_paths},
                             domains,
                             std::move(sender),
                             std::move(recipients));
    for (const auto piece : pieces)
      if (auto refusal = incoming.on_bytes(piece)) return {{}, {}, smtp::one_line(*refusal)};
    auto change =
        loop.wait(incoming.complete(std::move(envelope), {"ESMTPSA", "TLSv1.3 X"})).value();
    if (!change) return {{}, {}, smtp::one_line(change.error())};
    EXPECT_EQ(change->added.size(), 1U);
    Kept kept{{}, change->added.front().message, {}};
    auto bodies = loop.wait(store.commit(loop, *std::move(change), Durability::synced)).value();
    if (!bodies) return {{}, {}, bodies.error().what};
    kept.text = text_of(*bodies->front());
    EXPECT_EQ(kept.message.body_bytes, kept.text.size());
    return kept;
  }
  Kept take(const Client& client, std::string_view whole) {
    return take(client, std::vector{whole});
  }
};

std::string verdicts(std::string_view message, const crypto::PrivateKey& key) {
  const auto end = mail::header_end(message).value_or(message.size());
  mailauth::SignedMessage signed_message(message.substr(0, end));
  mailauth::DkimVerifier verifier(signed_message);
  const auto reply = mailauth::texts_reply({mailauth::DkimKeyRecord::for_key(key)->text()});
  while (signed_message.next_lookup()) signed_message.on_reply(reply);
  signed_message.on_body(message.substr(end));
  std::string text;
  for (const auto& result : verifier.results(VirtualLoop().wall_now()))
    text += std::string(mailauth::dkim_verdict_text(result.verdict)) + " " + result.domain + " " +
            result.reason;
  return text;
}

crypto::PrivateKey same_key_again(const crypto::PrivateKey& key) {
  return crypto::PrivateKey::from_pem(key.to_pem()).value();
}

const std::string complete_header =
    "From: Alice <alice@own.example>\r\nTo: x@far.example\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?="
    "\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <a@own.example>\r\n";
const std::string complete_message = complete_header + "\r\nfirst line\r\n\r\nlast line\r\n";

TEST(IncomingMessage, is_the_same_however_the_bytes_are_cut) {
  for (const auto& client : {alice, trusted, stranger}) {
    const auto whole = World().take(client, complete_message);
    ASSERT_EQ(whole.refusal, "");
    EXPECT_EQ(whole.rest(), complete_message);
    const std::string_view all = complete_message;
    for (std::size_t at = 0; at <= all.size(); ++at) {
      const auto cut = World().take(client, {all.substr(0, at), all.substr(at)});
      ASSERT_EQ(cut.text, whole.text) << at;
      ASSERT_EQ(cut.message, whole.message) << at;
    }
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < all.size(); ++at) bytes.push_back(all.substr(at, 1));
    EXPECT_EQ(World().take(client, bytes).text, whole.text);
  }
}

TEST(IncomingMessage, tells_the_queue_what_people_want_to_see) {
  World w;
  const auto kept = w.take(alice, complete_message);
  EXPECT_EQ(kept.message.subject, "grüße");
  EXPECT_EQ(kept.message.message_id, "<a@own.example>");
  EXPECT_EQ(kept.message.origin.kind, queue::Origin::Kind::submitted);
  EXPECT_EQ(kept.message.origin.user, "alice@own.example");
  EXPECT_TRUE(kept.message.origin.authenticated);
  ASSERT_EQ(kept.message.recipients.size(), 1U);
  EXPECT_EQ(kept.message.recipients[0].recipient.address.text(), "x@far.example");
  EXPECT_FALSE(w.take(stranger, complete_message).message.origin.authenticated);
  EXPECT_EQ(w.take(trusted, complete_message).message.origin.kind, queue::Origin::Kind::relayed);
}

TEST(IncomingMessage, cuts_a_long_subject) {
  World w;
  const auto kept = w.take(
      alice, "From: alice@own.example\r\nSubject: " + std::string(500, 'x') + "\r\n\r\nx\r\n");
  EXPECT_GE(kept.message.subject.size(), 150U);
  EXPECT_LE(kept.message.subject.size(), 203U);
}

TEST(IncomingMessage, hides_the_address_of_a_user_and_tells_that_of_a_stranger) {
  World w;
  const auto submitted = w.take(alice, complete_message).received();
  EXPECT_FALSE(submitted.contains("192.0.2.7")) << submitted;
  EXPECT_FALSE(submitted.contains("client.example")) << submitted;
  EXPECT_TRUE(submitted.contains("by mx.own.example")) << submitted;
  EXPECT_TRUE(submitted.contains("<x@far.example>")) << submitted;
  const auto received = w.take(stranger, complete_message).received();
  EXPECT_TRUE(received.contains("192.0.2.7")) << received;
  EXPECT_TRUE(received.contains("client.example")) << received;
}

TEST(IncomingMessage, names_no_recipient_where_there_are_several) {
  World w;
  auto envelope = World::envelope();
  envelope.recipients.push_back({.address = address("hidden@far.example")});
  const auto kept = w.take(alice, {complete_message}, std::move(envelope));
  EXPECT_FALSE(kept.received().contains("far.example")) << kept.received();
}

TEST(IncomingMessage, is_signed_over_the_bytes_that_are_kept) {
  const auto key = crypto::PrivateKey::generate_ed25519().value();
  for (const std::string& body : {std::string("\r\nhello\r\n"),
                                  std::string("\r\n"),
                                  std::string("\r\n\r\n\r\nblank  lines \t x\r\n\r\n\r\n"),
                                  std::string("\r\nno line end"),
                                  std::string("")}) {
    SCOPED_TRACE(body);
    const auto header = "Bcc: b@far.example\r\n" + complete_header;
    const auto message = header + body;
    const auto take = [&key](const std::vector<std::string_view>& pieces) {
      World w;
      add_signer(*w.domains, "own.example", same_key_again(key));
      return w.take(alice, pieces);
    };
    const auto kept = take({message});
    EXPECT_EQ(verdicts(kept.text, key), "pass own.example ");
    const std::string_view all = message;
    for (std::size_t at = 0; at <= all.size(); at += 7)
      ASSERT_EQ(take({all.substr(0, at), all.substr(at)}).text, kept.text) << at;
    auto changed = kept.text;
    changed.replace(changed.find("Subject: ="), 10, "Subject: x");
    EXPECT_TRUE(verdicts(changed, key).starts_with("fail")) << verdicts(changed, key);
  }
}

TEST(IncomingMessage, is_signed_with_every_key_of_the_author_s_domain) {
  const auto key = crypto::PrivateKey::generate_ed25519().value();
  World w;
  add_signer(*w.domains, "own.example", same_key_again(key));
  add_signer(*w.domains, "own.example", same_key_again(key));
  EXPECT_EQ(verdicts(w.take(alice, complete_message).text, key),
            "pass own.example pass own.example ");
}

TEST(IncomingMessage, is_signed_by_the_nearest_domain_above) {
  const auto key = crypto::PrivateKey::generate_ed25519().value();
  World w;
  add_signer(*w.domains, "example", same_key_again(key));
  EXPECT_EQ(verdicts(w.take(alice, complete_message).text, key), "pass example ");
}

TEST(IncomingMessage, is_signed_for_the_user_where_the_author_s_domain_has_no_key) {
  const auto key = crypto::PrivateKey::generate_ed25519().value();
  World w;
  add_signer(*w.domains, "own.example", same_key_again(key));
  const Client bob{Client::Standing::user, "bob@own.example"};
  const auto kept = w.take(bob, "From: x@partner.example\r\n\r\nx\r\n");
  EXPECT_EQ(verdicts(kept.text, key), "pass own.example ");
}

TEST(IncomingMessage, of_a_stranger_is_not_signed_and_not_changed) {
  const auto key = crypto::PrivateKey::generate_ed25519().value();
  World w;
  add_signer(*w.domains, "own.example", same_key_again(key));
  const std::string message = "From: alice@own.example\r\nBcc: x@far.example\r\n\r\nx\r\n";
  const auto kept = w.take(stranger, message);
  EXPECT_TRUE(kept.text.starts_with("Received:"));
  EXPECT_EQ(kept.rest(), message);
}

TEST(IncomingMessage, of_a_trusted_peer_goes_on_byte_for_byte) {
  World w;
  for (const std::string& message :
       {complete_message,
        std::string("From: a@far.example\r\nFrom: b@far.example\r\n\r\nx\r\n"),
        std::string("no header at all\r\n\r\nx\r\n"),
        std::string("\r\nonly a body\r\n")}) {
    const auto kept = w.take(trusted, message);
    EXPECT_EQ(kept.refusal, "");
    EXPECT_EQ(kept.rest(), message);
  }
}

TEST(IncomingMessage, needs_no_body_and_no_blank_line) {
  World w;
  EXPECT_EQ(w.take(alice, complete_header).rest(), complete_header + "\r\n");
  EXPECT_EQ(w.take(alice, complete_header + "\r\n").rest(), complete_header + "\r\n");
  EXPECT_EQ(w.take(stranger, "Subject: x\r\n").rest(), "Subject: x\r\n\r\n");
  EXPECT_EQ(w.take(stranger, "").rest(), "\r\n");
  EXPECT_TRUE(w.take(alice, "").refusal.contains("no From field"));
  EXPECT_TRUE(w.take(alice, "\r\nFrom: alice@own.example\r\n").refusal.contains("no From field"));
  EXPECT_TRUE(w.take(alice, "From: alice@own.example\r\nhello\r\n").refusal.contains("line 2"));
}

TEST(IncomingMessage, refuses_a_header_that_never_ends) {
  World w;
  w.options.limits.header_bytes = 1000;
  for (const auto& client : {alice, stranger}) {
    const auto kept =
        w.take(client, {"From: alice@own.example\r\nX: ", std::string(1000, 'x'), "y\r\n"});
    EXPECT_TRUE(kept.refusal.starts_with("552 5.3.4")) << kept.refusal;
  }
}

TEST(IncomingMessage, refuses_a_message_that_goes_round) {
  World w;
  w.options.hops_max = 3;
  std::string message = complete_header;
  for (int hops = 1; hops <= 4; ++hops) {
    message = "Received: from x by y\r\n" + message;
    EXPECT_EQ(w.take(stranger, message).refusal.substr(0, 9), hops <= 3 ? "" : "554 5.4.6") << hops;
  }
}

TEST(IncomingMessage, says_what_the_content_is_whatever_was_declared) {
  struct Case {
    const char* name;
    std::string body;
    mail::BodyType expected;
  };
  const Case cases[] = {
      {"plain", "x\r\n", mail::BodyType::seven_bit},
      {"8-bit", "\xC3\xA9\r\n", mail::BodyType::eight_bit_mime},
      {"NUL", std::string("a\0b\r\n", 5), mail::BodyType::binary_mime},
      {"bare LF", "a\nb\r\n", mail::BodyType::binary_mime},
      {"bare CR", "a\rb\r\n", mail::BodyType::binary_mime},
      {"998 bytes", std::string(998, 'x') + "\r\n", mail::BodyType::seven_bit},
      {"999 bytes", std::string(999, 'x') + "\r\n", mail::BodyType::binary_mime},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    World w;
    for (const auto declared : {mail::BodyType::seven_bit, mail::BodyType::binary_mime}) {
      auto envelope = World::envelope();
      envelope.body = declared;
      const auto message = complete_header + "\r\n" + c.body;
      EXPECT_EQ(w.take(alice, {message}, envelope).message.envelope.body, c.expected);
    }
  }
}

TEST(IncomingMessage, needs_smtputf8_only_where_it_is_used) {
  struct Case {
    const char* name;
    std::string extra;  // of the header
    std::string_view to;
    bool asked, expected;
  };
  const Case cases[] = {
      {"asked to be on the safe side", "", "x@far.example", true, false},
      {"an address needs it", "", "jörg@far.example", true, true},
      {"the header needs it", "X: \xC3\xA9\r\n", "x@far.example", true, true},
      {"not asked for", "X: \xC3\xA9\r\n", "x@far.example", false, false},
      {"only the domain", "", "x@bücher.example", true, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    World w;
    auto envelope = World::envelope();
    envelope.smtputf8 = c.asked;
    envelope.recipients[0].address = address(c.to);
    const auto message = complete_header + c.extra + "\r\nx\r\n";
    EXPECT_EQ(w.take(alice, {message}, envelope).message.envelope.smtputf8, c.expected);
  }
}

TEST(IncomingMessage, says_452_when_the_disk_is_full_and_451_when_it_is_broken) {
  World w;
  w.store.fail_with(Error{Code::full, "no space left on device"});
  EXPECT_TRUE(w.take(alice, complete_message).refusal.starts_with("452 4.3.1"));
  w.store.fail_with(Error{Code::internal, "input/output error"});
  const auto refusal = w.take(alice, complete_message).refusal;
  EXPECT_TRUE(refusal.starts_with("451 4.3.0")) << refusal;
  EXPECT_FALSE(refusal.contains("input/output"));
}

}  // namespace
}  // namespace tapal::intake
