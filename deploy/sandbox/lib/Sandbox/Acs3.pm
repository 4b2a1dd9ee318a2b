package Sandbox::Acs3;

# Aliyun's signature version 3 (ACS3-HMAC-SHA256), as pure functions over a
# request given as {method, path, query, headers, body}: query is the raw
# text after the question mark, headers a hash with lower-case names, body
# octets.

use v5.36;
use warnings FATAL => 'all';

use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use Exporter qw(import);

our @EXPORT_OK = qw(canonical_request decode_query parse_authorization signature string_to_sign);

use constant ALGORITHM => 'ACS3-HMAC-SHA256';

# Returns {key_id, headers => [names], signature}, or nothing.
sub parse_authorization ($header) {
  my ($key_id, $names, $signature)
    = $header
    =~ /\A${\ALGORITHM} Credential=([^,\s]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})\z/;
  return if !defined $signature;
  return {key_id => $key_id, headers => [split /;/, $names], signature => $signature};
}

# Returns [[name, value], …] as octets. A plus sign is a space, as in forms.
sub decode_query ($query) {
  my @pairs;
  for my $part (split /&/, $query) {
    next if $part eq '';
    my ($name, $value) = split /=/, $part, 2;
    push @pairs, [map { _decode($_ // '') } $name, $value];
  }
  return \@pairs;
}

sub canonical_request ($request, $names) {
  my @sorted  = sort @$names;
  my @headers = map {"$_:" . _trim($request->{headers}{$_} // '')} @sorted;
  return join "\n", $request->{method}, $request->{path}, _canonical_query($request->{query}),
    @headers, '', join(';', @sorted), sha256_hex($request->{body});
}

sub string_to_sign ($canonical) { return ALGORITHM . "\n" . sha256_hex($canonical) }

sub signature ($secret, $canonical) {
  return hmac_sha256_hex(string_to_sign($canonical), $secret);
}

# Whatever way the client escaped a character, the signature is over RFC
# 3986's way.
sub _canonical_query ($query) {
  my @pairs = map { [map { _encode($_) } @$_] } @{decode_query($query)};
  return join '&',
    map {"$_->[0]=$_->[1]"} sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] } @pairs;
}

sub _decode ($text) {
  $text =~ tr/+/ /;
  return $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger;
}

sub _encode ($octets) {
  return $octets =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}

sub _trim ($text) { return $text =~ s/\A\s+|\s+\z//gr }

1;
