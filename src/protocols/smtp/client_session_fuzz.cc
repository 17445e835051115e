// A peer and a shell made of the fuzzer's bytes: whatever they do, each recipient gets one outcome
// and the session ends once.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocols/smtp/client_test_shell.h"

namespace {

using namespace tapal::smtp;

void require(bool holds) {
  if (!holds) std::abort();
}

// The first bytes choose what the shell does, the rest is what the peer says.
struct Choices {
  std::string_view bytes;
  std::uint8_t next() {
    if (bytes.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    return byte;
  }
};

ClientPlan choose(Choices& choices) {
  ClientPlan plan;
  const std::uint8_t flags = choices.next();
  plan.options.hello_name = "client.example";
  plan.options.tls = static_cast<ClientTls>(flags & 3U);
  plan.options.variant = (flags & 4U) != 0 ? ClientVariant::lmtp : ClientVariant::smtp;
  plan.options.auth = (flags & 8U) != 0 ? ClientAuth::required : ClientAuth::never;
  plan.options.auth_in_clear_allowed = (flags & 16U) != 0;
  plan.auth_mechanism = (flags & 32U) != 0 ? "PLAIN" : "";
  if ((flags & 64U) != 0) plan.auth_initial = "initial";
  plan.auth_responses = {"response"};
  plan.options.early_body_bytes_max = choices.next();
  for (std::size_t i = choices.next() % 4U; i > 0; --i) {
    const std::uint8_t shape = choices.next();
    std::vector<std::string> names(shape % 4U, "user");
    plan.mails.push_back(
        a_mail(std::move(names), std::string(choices.next(), shape % 2U ? '.' : '\n')));
    plan.mails.back().transaction.needs.eight_bit = (shape & 16U) != 0;
    plan.mails.back().transaction.needs.binary = (shape & 32U) != 0;
    plan.mails.back().transaction.envelope.require_tls = (shape & 64U) != 0;
  }
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  Choices choices{std::string_view(reinterpret_cast<const char*>(data), size)};
  const ClientPlan plan = choose(choices);
  ClientShell shell(plan);
  shell.piece = 1 + choices.next();
  const std::size_t step = 1 + choices.next();
  shell.run();
  while (!choices.bytes.empty() && !shell.session.is_closed()) {
    shell.feed(choices.bytes.substr(0, step));
    choices.bytes.remove_prefix(std::min(step, choices.bytes.size()));
  }
  if (size % 2 == 0) shell.session.on_time(shell.session.deadline());
  shell.run();
  shell.session.on_closed("the end");
  shell.run();
  require(shell.session.is_closed() && shell.closes == 1);
  require(shell.failures.size() <= 1 && shell.dones.size() == shell.started());
  for (std::size_t i = 0; i < shell.dones.size(); ++i) {
    const auto& recipients = shell.dones[i].recipients;
    require(recipients.size() == plan.mails[i].transaction.envelope.recipients.size());
    for (std::size_t k = 0; k < recipients.size(); ++k) require(recipients[k].index == k);
  }
  return 0;
}
