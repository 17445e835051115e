#include "services/api/confirmation_watch.h"

#include <algorithm>
#include <utility>

#include "values/text/ascii.h"

namespace tapal::api {
namespace {

// Whether it was sent to `address`, also where an alias led it on.
bool is_to(const queue::Message& message, const mail::Address& address) {
  const auto key = address.key();
  const auto is_it = [&](const queue::RecipientState& state) {
    if (state.recipient.address.key() == key) return true;
    const auto& original = state.recipient.original;  // "rfc822;ann@example.com"
    const auto asked = mail::parse_address(original.substr(original.find(';') + 1));
    return asked && asked->key() == key;
  };
  return std::ranges::any_of(message.recipients, is_it);
}

std::string whole_text(const Body& body) {
  std::string text(static_cast<std::size_t>(body.size()), '\0');
  text.resize(body.read(0, text).value_or(0));
  return text;
}

}  // namespace

ConfirmationWatch::Watcher::Watcher(ConfirmationWatch& watch, mail::Address address)
    : watch_(watch), address_(std::move(address)) {
  const std::scoped_lock lock(watch_.mutex_);
  watch_.watchers_.push_back(this);
  watch_.is_watched_ = true;
}

ConfirmationWatch::Watcher::~Watcher() {
  const std::scoped_lock lock(watch_.mutex_);
  std::erase(watch_.watchers_, this);
  watch_.is_watched_ = !watch_.watchers_.empty();
}

std::optional<SeenConfirmation> ConfirmationWatch::Watcher::take() {
  const std::scoped_lock lock(watch_.mutex_);
  return std::exchange(seen_, {});
}

// Each of Gmail's languages names it in the subject.
void ConfirmationWatch::on_received(const queue::Message& message, const Body& body) {
  if (!is_watched_ || body.size() > mail::gmail_confirmation_bytes_max) return;
  if (!text::to_lower(message.subject).contains("gmail")) return;
  auto text = whole_text(body);
  const auto confirmation = mail::read_gmail_confirmation(text);
  if (!confirmation) return;
  const SeenConfirmation seen{message.id, *confirmation, std::move(text)};
  const std::scoped_lock lock(mutex_);
  for (auto* watcher : watchers_)
    if (is_to(message, watcher->address_)) watcher->seen_ = seen;
}

}  // namespace tapal::api
