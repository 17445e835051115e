#include "app/certificates/served_certificate.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "drivers/net/tls.h"
#include "protocols/smtp/reply.h"
#include "values/text/date.h"

namespace tapal::app {
namespace {

constexpr std::chrono::seconds patience{15};

Task<Result<smtp::Reply>> read_reply(Stream& stream, Instant deadline) {
  smtp::ReplyReader reader;
  std::array<char, 2048> buffer{};
  while (!reader.is_ready()) {
    TAPAL_CO_TRY(const auto count, co_await stream.read(buffer, deadline));
    const std::string_view bytes(buffer.data(), count);
    TAPAL_CO_TRY(const auto taken, reader.feed(bytes));
    if (taken < count) co_return fail(Code::invalid, "it talks out of turn");
  }
  co_return reader.take();
}

Task<Result<void>> ask_for_tls(Stream& stream, Instant deadline) {
  TAPAL_CO_TRY(const auto greeting, co_await read_reply(stream, deadline));
  if (!smtp::is_positive(greeting)) co_return fail(Code::denied, smtp::one_line(greeting));
  constexpr std::array<std::string_view, 2> commands{"EHLO [127.0.0.1]\r\n", "STARTTLS\r\n"};
  for (const auto command : commands) {
    TAPAL_CO_CHECK(co_await stream.write(command, deadline));
    TAPAL_CO_TRY(const auto reply, co_await read_reply(stream, deadline));
    if (!smtp::is_positive(reply)) co_return fail(Code::denied, smtp::one_line(reply));
  }
  co_return Result<void>();
}

std::size_t certificates_in(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::size_t count = 0;
  for (auto at = pem.find(begin); at != pem.npos; at = pem.find(begin, at + 1)) ++count;
  return count;
}

// Why the chain leads nowhere, when its first certificate is in order.
std::string chain_problem(const ServedCertificate& served, const crypto::CertificateFacts& facts) {
  if (facts.self_signed)
    return "it is self-signed: get one from a public authority such as Let's Encrypt";
  if (certificates_in(served.chain_pem) == 1)
    return fmt::format(
        "it comes alone, without its issuer's ({}): put the whole chain into fullchain.pem",
        facts.issuer);
  return fmt::format(
      "its issuer ({}) is no public authority known here: {}", facts.issuer, served.trouble);
}

}  // namespace

Task<Result<ServedCertificate>> look_at_certificate(NetLoop& loop,
                                                    std::string host,
                                                    Endpoint server,
                                                    SubmissionPort::Tls tls,
                                                    std::string trusted_ca_file) {
  ClientTlsOptions trust;
  trust.trusted_ca_file = std::move(trusted_ca_file);
  TAPAL_CO_TRY(const auto context, ClientContext::make(trust));
  const auto deadline = loop.now() + patience;
  TAPAL_CO_TRY(auto stream, co_await loop.connect(server, std::nullopt, deadline));
  if (tls == SubmissionPort::Tls::starttls) {
    TAPAL_CO_CHECK(co_await ask_for_tls(*stream, deadline));
  }
  TlsConnectOptions options;
  options.server_name = std::move(host);
  TAPAL_CO_TRY(const auto state, co_await stream->connect_tls(*context, options, deadline));
  ServedCertificate served{peer_certificates(*stream), state.verified, state.verify_error};
  stream->close();
  co_return served;
}

CertificateFinding judge_certificate(const ServedCertificate& served,
                                     const std::string& host,
                                     WallTime now) {
  CertificateFinding finding;
  const auto facts = crypto::read_certificate(served.chain_pem);
  if (!facts) {
    finding.problems.push_back(facts.error().what);
    return finding;
  }
  finding.facts = *facts;
  auto& problems = finding.problems;
  if (!crypto::covers(*facts, host))
    problems.push_back(fmt::format(
        "it is for {}, not for {}: get one for that name", fmt::join(facts->names, ", "), host));
  if (now >= facts->validity.not_after)
    problems.push_back(
        fmt::format("it expired on {}: renew it", text::rfc3339_date(facts->validity.not_after)));
  if (now < facts->validity.not_before)
    problems.push_back(fmt::format("it holds from {} on: is this machine's clock right?",
                                   text::rfc3339_date(facts->validity.not_before)));
  if (!served.is_trusted && (problems.empty() || facts->self_signed))
    problems.push_back(chain_problem(served, *facts));
  return finding;
}

}  // namespace tapal::app
