package Sandbox::HmacGate;

# Authorization: HMAC-SHA256 keyId=…,timestamp=…,signature=…
# where the signature is over the time stamp, a newline and the raw body.

use v5.36;
use Mojo::Base -base;
use warnings FATAL => 'all';

use Digest::SHA qw(hmac_sha256_hex);
use Mojo::Util qw(secure_compare);

use constant MAX_SKEW => 300;

has [qw(key_id secret)];
has clock => sub {
  sub {time}
};

# Returns nothing for a good request, else the reason.
sub refuse ($self, $authorization, $body) {
  my ($key_id, $timestamp, $given)
    = $authorization
    =~ /\AHMAC-SHA256 keyId=([^,\s]+), ?timestamp=(\d{1,12}), ?signature=([0-9a-f]{64})\z/a;
  return 'Authorization must be: HMAC-SHA256 keyId=<id>,timestamp=<unix>,signature=<hex>'
    if !defined $given;
  return 'the key id is unknown' if !secure_compare($key_id, $self->key_id);
  return 'the signature is wrong'
    if !secure_compare($given, hmac_sha256_hex("$timestamp\n$body", $self->secret));
  return 'the time stamp is more than five minutes off'
    if abs($self->clock->() - $timestamp) > MAX_SKEW;
  return;
}

1;
