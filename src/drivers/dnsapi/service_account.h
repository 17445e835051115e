// A Google service account: its key file, and the access tokens that its signature gets (RFC 7523:
// a JSON Web Token signed by RS256, for one hour).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "drivers/dnsapi/api_client.h"
#include "values/crypto/key.h"

namespace tapal::dnsapi {

struct ServiceAccount {
  static constexpr std::size_t key_file_bytes_max = 64UL * 1024;

  std::string project;
  std::string email;
  std::string key_id;
  std::string token_url;
  std::shared_ptr<const crypto::PrivateKey> key;

  // From a key file in JSON, as Google's console gives it. Code::invalid says what is missing;
  // nothing of the key is repeated.
  static Result<ServiceAccount> from_json(std::string_view text);
  // Code::denied for a file that others may read.
  static Result<ServiceAccount> from_file(const std::string& path);

  // The signed claim that a token is asked for with.
  Result<std::string> assertion(std::string_view scope, WallTime now) const;
};

// Keeps one access token, and gets another when it is about to end.
class AccessTokens {
 public:
  AccessTokens(ServiceAccount account, std::string scope, HttpClient& http, Clock& clock);
  Task<Result<std::string>> current(Loop& loop);

 private:
  ServiceAccount account_;
  std::string scope_;
  ApiClient api_;
  Clock& clock_;
  std::string token_;
  Instant good_until_{};
};

}  // namespace tapal::dnsapi
