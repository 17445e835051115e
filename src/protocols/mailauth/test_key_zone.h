// DNS for tests of signatures: TXT records by name.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocols/mailauth/signed_message.h"

namespace tapal::mailauth {

inline dns::LookupReply texts_reply(const std::vector<std::string>& texts) {
  dns::LookupReply reply{.status = dns::LookupReply::Status::found, .records = {}};
  for (const auto& text : texts) {
    reply.records.push_back(
        {.name = {}, .type = dns::Type::txt, .ttl = {}, .data = dns::Text{text}});
  }
  return reply;
}

struct KeyZone {
  std::map<std::string, dns::LookupReply> replies;  // names without one do not exist

  void add(const std::string& name, std::string text) {
    replies[name] = texts_reply({std::move(text)});
  }
  // Answers what `message` asks; the names it asked for.
  std::vector<std::string> answer(SignedMessage& message) const {
    std::vector<std::string> names;
    while (const auto lookup = message.next_lookup()) {
      names.push_back(lookup->name);
      const auto found = replies.find(lookup->name);
      message.on_reply(found == replies.end()
                           ? dns::LookupReply{dns::LookupReply::Status::no_such_name, {}}
                           : found->second);
    }
    return names;
  }
};

}  // namespace tapal::mailauth
