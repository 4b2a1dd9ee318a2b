package Sandbox::Acs3Gate;

# Decides whether a request in the sense of Sandbox::Acs3 comes from the
# holder of the access key, was made just now, and was not seen before.

use v5.36;
use Mojo::Base -base;
use warnings FATAL => 'all';

use Digest::SHA qw(sha256_hex);
use Mojo::Util qw(secure_compare);
use Sandbox::Acs3 qw(canonical_request parse_authorization signature);
use Time::Local qw(timegm_modern);

use constant MAX_SKEW => 15 * 60;
use constant SIGNED   =>
  qw(host x-acs-action x-acs-content-sha256 x-acs-date x-acs-signature-nonce x-acs-version);

has [qw(key_id secret)];
has clock => sub {
  sub {time}
};

# Returns nothing for a good request, else (status, code, message).
sub refuse ($self, $request) {
  my $headers = $request->{headers};
  for my $name (SIGNED, 'authorization') {
    next if ($headers->{$name} // '') ne '';
    return (400, 'MissingParameter', "The request header $name is mandatory for this action.");
  }
  my @refusal = $self->_refuse_signature($request);
  @refusal = $self->_refuse_time($headers->{'x-acs-date'}) if !@refusal;
  @refusal = $self->_refuse_nonce($headers->{'x-acs-signature-nonce'}) if !@refusal;
  return @refusal;
}

sub _refuse_signature ($self, $request) {
  my $given = parse_authorization($request->{headers}{authorization});
  return (400, 'IncompleteSignature', 'The Authorization header is not in the ACS3 form.')
    if !$given;
  return (404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.')
    if !secure_compare($given->{key_id}, $self->key_id);

  my %signed = map { $_ => 1 } @{$given->{headers}};
  for my $name (SIGNED) {
    return (400, 'IncompleteSignature', "The header $name must be signed.") if !$signed{$name};
  }
  return _mismatch('x-acs-content-sha256 is not the digest of the body.')
    if !secure_compare($request->{headers}{'x-acs-content-sha256'}, sha256_hex($request->{body}));

  my $canonical = canonical_request($request, $given->{headers});
  return if secure_compare($given->{signature}, signature($self->secret, $canonical));
  return _mismatch("The server's CanonicalRequest is: $canonical");
}

sub _mismatch ($why) {
  return (400, 'SignatureDoesNotMatch',
    "Specified signature does not match our calculation. $why");
}

sub _refuse_time ($self, $date) {
  my $made = _epoch($date)
    // return (400, 'InvalidTimeStamp.Format', 'Specified time stamp is not well formatted.');
  return if abs($self->clock->() - $made) <= MAX_SKEW;
  return (400, 'InvalidTimeStamp.Expired', 'Specified time stamp is expired.');
}

sub _epoch ($date) {
  my ($year, $month, @rest) = $date =~ /\A(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z\z/a;
  return if !@rest;
  return eval { timegm_modern(reverse(@rest), $month - 1, $year) };
}

# Asked last: only the key's holder may use up a nonce. A request is refused
# by its date after the skew, so twice that long is long enough to remember.
sub _refuse_nonce ($self, $nonce) {
  my $now   = $self->clock->();
  my $order = $self->{order} //= [];
  while (@$order && $order->[0][1] < $now) { delete $self->{seen}{(shift @$order)->[0]} }
  return (400, 'SignatureNonceUsed', 'Specified signature nonce was used already.')
    if $self->{seen}{$nonce}++;
  push @$order, [$nonce, $now + 2 * MAX_SKEW];
  return;
}

1;
