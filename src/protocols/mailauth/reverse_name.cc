#include "protocols/mailauth/reverse_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {

std::string_view iprev_verdict_text(IprevVerdict verdict) {
  switch (verdict) {
    case IprevVerdict::pass: return "pass";
    case IprevVerdict::fail: return "fail";
    case IprevVerdict::temperror: return "temperror";
    case IprevVerdict::permerror: return "permerror";
  }
  return "permerror";
}

dns::Type address_type(const IpAddress& ip) { return ip.is_v4() ? dns::Type::a : dns::Type::aaaa; }

bool has_address(const dns::LookupReply& reply, const IpAddress& ip) {
  return std::ranges::any_of(reply.records, [&ip](const dns::Record& record) {
    const auto* address = std::get_if<IpAddress>(&record.data);
    return address != nullptr && *address == ip;
  });
}

ReverseNameCheck::ReverseNameCheck(const IpAddress& ip)
    : ip_(ip), reason_(fmt::format("the names of {} are not yet known", ip.text())) {}

std::optional<dns::Lookup> ReverseNameCheck::next_lookup() const {
  switch (step_) {
    case Step::names: return dns::Lookup{dns::reverse_name(ip_), dns::Type::ptr};
    case Step::addresses: return dns::Lookup{candidates_.front(), address_type(ip_)};
    case Step::done: break;
  }
  return {};
}

void ReverseNameCheck::on_reply(const dns::LookupReply& reply) {
  if (step_ == Step::names)
    on_names(reply);
  else if (step_ == Step::addresses)
    on_addresses(reply);
  if (step_ != Step::done) step_ = candidates_.empty() ? Step::done : Step::addresses;
}

void ReverseNameCheck::on_names(const dns::LookupReply& reply) {
  if (reply.status == dns::LookupReply::Status::failed) {
    reason_ = fmt::format("no answer from DNS about PTR {}", dns::reverse_name(ip_));
    return;
  }
  for (const dns::Record& record : reply.records) {
    const auto* target = std::get_if<dns::NameTarget>(&record.data);
    if (target != nullptr && !target->name.empty() && candidates_.size() < names_max)
      candidates_.push_back(target->name);
  }
  verdict_ = candidates_.empty() ? IprevVerdict::permerror : IprevVerdict::fail;
  reason_ = candidates_.empty() ? fmt::format("{} has no name (PTR)", ip_.text())
                                : fmt::format("no name of {} leads back to it", ip_.text());
}

void ReverseNameCheck::on_addresses(const dns::LookupReply& reply) {
  std::string name = std::move(candidates_.front());
  candidates_.pop_front();
  if (reply.status == dns::LookupReply::Status::failed) {
    verdict_ = IprevVerdict::temperror;
    reason_ = fmt::format(
        "no answer from DNS about {} {}", dns::type_text(address_type(ip_)), text::printable(name));
  } else if (has_address(reply, ip_)) {
    confirmed_.push_back(std::move(name));
  }
}

IprevResult ReverseNameCheck::result() const {
  if (step_ != Step::done) return {IprevVerdict::temperror, confirmed_, reason_};
  if (confirmed_.empty()) return {verdict_, {}, reason_};
  return {IprevVerdict::pass,
          confirmed_,
          fmt::format("{} and {} lead to each other", ip_.text(), confirmed_.front())};
}

}  // namespace tapal::mailauth
