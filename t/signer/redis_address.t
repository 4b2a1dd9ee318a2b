# Where the signer's configuration says that Redis is: a host, a socket or sentinels, one of them.
use v5.36;
use warnings FATAL => 'all';

use lib 't/lib';
use SignerBench;
use Test::More;

my $bench = SignerBench->new;
my $dir   = $bench->dir;
my $path  = $bench->configure;
my $text  = do { local (@ARGV, $/) = $path; <> };

# What -t says of another redis block.
sub tested ($words) {
  $bench->write_file('signer.conf', $text =~ s/^redis \{.*\}$/redis { $words }/mr);
  return scalar qx(build/caportal-signer -c $dir/signer.conf -t 2>&1);
}

$bench->write_file('secret', "of the sentinels\n");

for my $good ('host h;', 'host h; port 1;', 'socket /x;', 'sentinel m@h;', 'sentinel m@h:1,i,[::1]:2; prefix x:;',
  "sentinel m\@h; sentinel_user me; sentinel_password_file $dir/secret;")
{
  like tested($good), qr/test is successful/, $good;
}

my $belong = qr/"sentinel_user" and "sentinel_password_file" are for "sentinel"/;
my $one_of = qr/"redis" needs either "host" or "socket" or "sentinel"/;
for my $row (
  ['', $one_of], ['prefix x:;', $one_of], ['host h; socket /x;', $one_of], ['host h; sentinel m@h;', $one_of],
  ['socket /x; sentinel m@h;', $one_of],
  ['sentinel h:1;',     qr/"sentinel": a master's name/],
  ['sentinel m@h:x;',   qr/"sentinel": a sentinel is not of the form "host:port"/],
  ['sentinel m@h,h;',   qr/"sentinel": a sentinel stands there twice/],
  ['sentinel m@h; sentinel m@h;', qr/directive "sentinel" is duplicate/],
  ["sentinel m\@h; sentinel_password_file $dir/none;", qr/"\Q$dir\E\/none" cannot be read/],
  ['host h; sentinel_user me;', $belong],
  ["socket /x; sentinel_password_file $dir/secret;", $belong],
  )
{
  my ($words, $why) = @$row;
  my $said = tested($words);
  like $said, qr/\[emerg\] $why.* in \Q$dir\E\/signer\.conf:\d+/, "refused: $words";
  like $said, qr/test failed/, 'so is the file';
}

done_testing;
