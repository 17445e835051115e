// Hostile command lines. What is accepted is within its limits and free of control characters, and
// every refusal is a reply of its own.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocols/smtp/command.h"
#include "protocols/smtp/xtext.h"

namespace {

using namespace tapal;
using namespace tapal::smtp;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

void check_refusal(const Reply& reply) {
  require(is_permanent(reply) && !reply.status.empty() && !reply.lines.empty());
  const std::string bytes = wire(reply);
  require(bytes.ends_with("\r\n") && bytes.size() < 1000);
  require(std::count(bytes.begin(), bytes.end(), '\n') ==
          static_cast<std::ptrdiff_t>(reply.lines.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  const std::string_view line(reinterpret_cast<const char*>(data + 1), size - 1);
  Extensions offered{Extension::size,
                     Extension::eight_bit_mime,
                     Extension::binary_mime,
                     Extension::smtputf8,
                     Extension::dsn,
                     Extension::require_tls,
                     Extension::auth};
  if ((data[0] & 1U) != 0) offered = {};
  const CommandLine command = split_command(line);
  const std::string_view argument = command.argument;

  if (const auto helo = parse_helo(argument)) {
    require(is_clean(*helo) && helo->size() <= 255 && !helo->empty());
  } else {
    check_refusal(helo.error());
  }
  if (const auto mail = parse_mail(argument, offered)) {
    const mail::Envelope& envelope = mail->envelope;
    require(is_clean(envelope.envelope_id) && envelope.envelope_id.size() <= 100);
    require(is_clean(mail->authorized_as.value_or("")));
    if (envelope.return_path) require(is_clean(envelope.return_path->text()));
    if (envelope.return_path && !envelope.smtputf8) require(envelope.return_path->is_ascii());
  } else {
    check_refusal(mail.error());
  }
  const RcptContext context{offered, (data[0] & 2U) != 0, "post.example"};
  if (const auto recipient = parse_rcpt(argument, context)) {
    require(is_clean(recipient->address.text()) && is_clean(recipient->original));
    require(!recipient->address.domain.empty());
    const mail::Notify& notify = recipient->notify;
    require(!notify.never || (!notify.success && !notify.failure && !notify.delay));
  } else {
    check_refusal(recipient.error());
  }
  if (const auto bdat = parse_bdat(argument); !bdat) check_refusal(bdat.error());
  if (const auto auth = parse_auth(argument); !auth) check_refusal(auth.error());

  if (is_clean(line)) require(decode_xtext(encode_xtext(line)) == line);
  if (const auto decoded = decode_xtext(line))
    require(encode_xtext(*decoded).size() <= line.size() + decoded->size() * 2);
  if (const auto decoded = decode_utf8_address(line)) require(is_clean(*decoded));
  return 0;
}
