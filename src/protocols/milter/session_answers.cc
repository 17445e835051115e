// What the filter says.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "protocols/milter/session.h"
#include "values/text/ascii.h"

namespace tapal::milter {
namespace {

// Macro lists are by stage, in SMFIM_*'s order.
std::optional<Command> command_of_stage(std::uint32_t stage) {
  constexpr std::array stages{Command::connect,
                              Command::hello,
                              Command::mail,
                              Command::recipient,
                              Command::data,
                              Command::end_of_message,
                              Command::end_of_header};
  if (stage >= stages.size()) return {};
  return stages[stage];
}

std::string letter_text(Answer letter) {
  return text::printable(std::string_view(reinterpret_cast<const char*>(&letter), 1));
}

// Both signs of "%%" stand for one (smfi_setreply).
std::string undouble_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text.substr(i, 2) == "%%") ++i;
  }
  return out;
}

std::optional<smtp::Reply> read_reply(std::string_view text) {
  smtp::ReplyReader reader;
  const std::string line = undouble_percent(text) + "\r\n";
  const auto taken = reader.feed(line);
  if (!taken || !reader.is_ready() || *taken != line.size()) return {};
  auto reply = reader.take();
  if (!smtp::is_transient(reply) && !smtp::is_permanent(reply)) return {};
  return reply;
}

constexpr std::size_t macros_max = 100;  // of one stage

}  // namespace

void Session::on_packet(const Packet& packet) {
  // An answer that comes before its command has left is one too many: all others would be shifted.
  if (!awaits_ || !out_.empty())
    return fail(fmt::format("the filter says \"{}\" unasked", letter_text(packet.letter)));
  if (stage_ == Stage::options) return on_options(packet.data);
  if (packet.letter == Answer::progress) return await(now_);
  if (on_change(packet) || stage_ == Stage::over) return;
  awaits_ = false;
  armed_at_ = now_;
  on_decision(packet);
  advance();
}

void Session::on_options(std::string_view data) {
  DataReader reader(data);
  version_ = reader.number();
  abilities_ = reader.number();
  wishes_ = reader.number();
  if (!reader.is_good()) return fail("its answer to the options is cut short");
  if (version_ < oldest_version || version_ > protocol_version)
    return fail(fmt::format("it speaks version {} of the protocol: expected {} to {}",
                            version_,
                            oldest_version,
                            protocol_version));
  if ((abilities_ & ~ability::all) != 0 || (wishes_ & ~wish::offered) != 0)
    return fail(fmt::format("it asks for options that were not offered: {:#x} {:#x}",
                            abilities_ & ~ability::all,
                            wishes_ & ~wish::offered));
  while (!reader.rest().empty()) {
    const std::uint32_t stage = reader.number();
    const std::string_view names = reader.text();
    const auto command = command_of_stage(stage);
    if (!reader.is_good() || !command) return fail("its list of macros is broken");
    auto& chosen = chosen_macros_[*command];
    for (const auto name : text::words(names))
      if (chosen.size() < macros_max) chosen.emplace_back(name);
  }
  awaits_ = false;
  stage_ = Stage::idle;
  actions_.emplace_back(Ready{});
}

// Whether the filter said that it would do this, and may do it now.
bool Session::may(std::uint32_t what) {
  if (stage_ != Stage::end_of_message)
    fail("it changes the message before its end");
  else if ((abilities_ & what) == 0)
    fail("it makes a change that it did not ask for in its options");
  else if (++changes_ > options_.changes_max)
    fail(fmt::format("it makes more than {} changes", options_.changes_max));
  return stage_ != Stage::over;
}

bool Session::on_change(const Packet& packet) {
  switch (packet.letter) {
    case Answer::add_header:
    case Answer::insert_header:
    case Answer::change_header: on_header_change(packet); break;
    case Answer::add_recipient:
    case Answer::add_recipient_with_arguments:
    case Answer::remove_recipient:
    case Answer::change_from: on_recipient_change(packet); break;
    case Answer::quarantine:
      if (may(ability::quarantine)) outcome_.quarantine = DataReader(packet.data).text();
      break;
    case Answer::replace_body: {
      if (!outcome_.body && !may(ability::change_body)) break;
      auto& body = outcome_.body ? *outcome_.body : outcome_.body.emplace();
      if (packet.data.size() > options_.body_bytes_max - body.size())
        fail(fmt::format("its body has more than {} bytes", options_.body_bytes_max));
      else
        body += packet.data;
      break;
    }
    default: return false;
  }
  if (stage_ != Stage::over) await(now_);
  return true;
}

void Session::on_header_change(const Packet& packet) {
  using Kind = mail::HeaderEdit::Kind;
  const bool is_change = packet.letter == Answer::change_header;
  if (!may(is_change ? ability::change_headers : ability::add_headers)) return;
  edit_bytes_ += packet.data.size();
  if (edit_bytes_ > mail::edited_header_bytes_max)
    return fail("its changes of header fields are too long");
  DataReader reader(packet.data);
  const bool has_place = packet.letter != Answer::add_header;
  const auto place =
      static_cast<std::int32_t>(std::min(has_place ? reader.number() : 0U, 1'000'000U));
  mail::HeaderEdit edit;
  edit.name = reader.text();
  edit.body = reader.text();
  if (!reader.at_end() || !mail::is_field_name(edit.name))
    return fail("its change of a header field is broken");
  if (is_change) {
    edit.kind = edit.body.empty() ? Kind::remove : Kind::replace;
    edit.place = std::max(place, 1);
  } else if (has_place) {
    // Filters count the server's own Received field, which is not in this header, as the first.
    edit.kind = Kind::insert;
    edit.place = std::max(place, 1) - 1;
  }
  if (!wishes(wish::leading_space) && !edit.body.empty()) edit.body.insert(0, " ");
  outcome_.edits.push_back(std::move(edit));
}

void Session::on_recipient_change(const Packet& packet) {
  std::uint32_t needed = ability::change_from;
  if (packet.letter == Answer::add_recipient) needed = ability::add_recipients;
  if (packet.letter == Answer::add_recipient_with_arguments)
    needed = ability::add_recipients_with_arguments;
  if (packet.letter == Answer::remove_recipient) needed = ability::remove_recipients;
  if (!may(needed)) return;
  DataReader reader(packet.data);
  const std::string_view address = text::trim(reader.text());  // ESMTP arguments may follow
  const auto path = mail::parse_path(address.starts_with('<') ? std::string(address)
                                                              : fmt::format("<{}>", address));
  if (!reader.is_good() || !path)
    return fail(fmt::format("its address \"{}\" is none", text::printable(address, 100)));
  const auto& changed = path->address;
  if (packet.letter == Answer::change_from) {
    outcome_.return_path = changed;
    return;
  }
  if (!changed) return fail("its recipient is the null address");
  if (packet.letter == Answer::remove_recipient)
    outcome_.removed_recipients.push_back(*changed);
  else
    outcome_.added_recipients.push_back(*changed);
}

void Session::on_decision(const Packet& packet) {
  switch (packet.letter) {
    case Answer::proceed:
      if (stage_ != Stage::end_of_message) return;
      may_change_client_ = version_ >= 6;
      return finish(Decision::accept);
    case Answer::accept: return finish(Decision::accept);
    case Answer::discard:
      if (stage_ < Stage::mail) return fail("it discards a message before there is one");
      return finish(Decision::discard);
    case Answer::reject:
      return finish(Decision::refuse, smtp::make_reply(550, "5.7.1", "refused by a filter"));
    case Answer::temporary_failure:
    case Answer::shutdown:
    case Answer::connection_failure:
      return finish(Decision::defer,
                    smtp::make_reply(451, "4.7.1", "put off by a filter, try again later"));
    case Answer::reply: return refuse_with(DataReader(packet.data).text());
    case Answer::skip:
      if (stage_ != Stage::body || !wishes(wish::skip))
        return fail("it skips where there is nothing to skip");
      return enter_next_stage();
    default:
      fail(fmt::format("it answers \"{}\", which means nothing", letter_text(packet.letter)));
  }
}

void Session::refuse_with(std::string_view text) {
  auto reply = read_reply(text);
  if (!reply)
    return fail(fmt::format("its reply \"{}\" is none of SMTP", text::printable(text, 100)));
  if (reply->status.empty()) reply->status = smtp::is_transient(*reply) ? "4.7.1" : "5.7.1";
  // 421 would close the session of a client that has done nothing wrong in it.
  if (reply->code == 421) reply->code = 451;
  const auto decision = smtp::is_transient(*reply) ? Decision::defer : Decision::refuse;
  finish(decision, *std::move(reply));
}

}  // namespace tapal::milter
