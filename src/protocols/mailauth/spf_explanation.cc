#include "protocols/mailauth/spf_explanation.h"

#include <algorithm>
#include <utility>

namespace tapal::mailauth {

SpfExplanation::SpfExplanation(SpfMacroText where,
                               SpfMacroValues values,
                               ReverseNameCheck names,
                               std::size_t bytes_max)
    : where_(std::move(where)),
      values_(std::move(values)),
      names_(std::move(names)),
      bytes_max_(bytes_max) {
  advance();
}

std::optional<dns::Lookup> SpfExplanation::next_lookup() const {
  if (step_ == Step::done) return {};
  if (lookup_) return lookup_;
  return names_.next_lookup();
}

void SpfExplanation::on_reply(const dns::LookupReply& reply) {
  if (step_ == Step::done) return;
  if (lookup_)
    on_text(reply);
  else
    names_.on_reply(reply);
  advance();
}

// True while the client's names must be asked for first (%{p}).
bool SpfExplanation::needs_names(const SpfMacroText& macro) {
  if (!macro.uses('p')) return false;
  if (names_.next_lookup()) return true;
  values_.client_name = spf_client_name(names_.result().names, values_.domain);
  return false;
}

void SpfExplanation::advance() {
  if (step_ == Step::place && !needs_names(where_)) {
    step_ = Step::done;
    if (auto name = dns_name_of(where_.expand_domain(values_))) {
      lookup_ = dns::Lookup{*std::move(name), dns::Type::txt};
      step_ = Step::text;
    }
  } else if (step_ == Step::text && words_ && !needs_names(*words_)) {
    step_ = Step::done;
    write(*words_);
  }
}

void SpfExplanation::on_text(const dns::LookupReply& reply) {
  lookup_.reset();
  step_ = Step::done;
  if (reply.records.size() != 1) return;
  const auto* text = std::get_if<dns::Text>(&reply.records.front().data);
  if (text == nullptr) return;
  auto words = SpfMacroText::parse(text->value, SpfMacroText::Use::explanation);
  if (!words) return;
  words_ = *std::move(words);
  step_ = Step::text;
}

void SpfExplanation::write(const SpfMacroText& words) {
  const auto is_printable = [](char c) { return c >= ' ' && c < '\x7f'; };
  auto written = words.expand(values_, bytes_max_);
  if (written && std::ranges::all_of(*written, is_printable)) text_ = *std::move(written);
}

}  // namespace tapal::mailauth
