# An issuer whose key lives on a token (SoftHSM2), P-256 and RSA; the token going away delays and loses nothing.
use v5.36;
use warnings FATAL => 'all';

use lib 't/lib';
use SignerBench;
use Test::More;

my $module = (glob '/usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so')[0];
plan skip_all => 'SoftHSM2 is not installed' if !$module || !-e $module;

my $bench = SignerBench->new;
my $dir   = $bench->dir;
mkdir "$dir/tokens";
$ENV{SOFTHSM2_CONF} = $bench->write_file('softhsm2.conf', "directories.tokendir = $dir/tokens\nlog.level = ERROR\n");
$bench->run("softhsm2-util --init-token --free --label caportal --so-pin 12345678 --pin 4711");
my $n = 0;
for my $name (qw(ec rsa)) {
  $bench->run("openssl pkcs8 -topk8 -nocrypt -in $dir/$name.key -out $dir/$name.p8");
  $bench->run("softhsm2-util --import $dir/$name.p8 --token caportal --label ca-$name --id 0" . ++$n . ' --pin 4711');
}
$bench->write_file('pin', "4711\n");

sub issuers (%change) {
  my %o = (token => 'caportal', pin => 'pin', ec => 'ca-ec', rsa => 'ca-rsa', %change);
  return join '', map {
    "issuer $_ { certificate $dir/$_.pem; pkcs11 { module $module; token $o{token}; object $o{$_}; pin_file $dir/$o{pin}; } }\n"
  } qw(ec rsa);
}

sub tested () { return scalar qx(build/caportal-signer -c $dir/signer.conf -t 2>&1) }

$bench->write_file('wrong', "0000\n");
my @refused = (
  [{token => 'other'},            qr/its token is not there/],
  [{ec    => 'ca-none'},          qr/no such private key/],
  [{ec    => 'ca-rsa'},           qr/not the one of its certificate/],
  [{pin   => 'wrong'},            qr/refuses the PIN/],
);
for my $row (@refused) {
  $bench->configure('', issuers(%{$row->[0]}));
  like tested(), $row->[1], "refused: @{[%{$row->[0]}]}";
}

$bench->configure('', issuers());
like tested(), qr/test is successful/, 'both keys are found on the token';

my @ids = ($bench->order, $bench->order(kind => 'rsa'));
$bench->start_signer;
for my $id (@ids) {
  ok $bench->wait_state($id, 'issued'), "row $id is issued" or diag $bench->log_of('signer');
  my ($der, $issuer) = $bench->dbh->selectrow_array('SELECT der, issuer FROM certificate WHERE issuance_id = ?', undef, $id);
  $bench->write_file("$id.der", $der);
  $bench->run("openssl x509 -inform DER -in $dir/$id.der -out $dir/$id.pem");
  is system("openssl verify -x509_strict -CAfile $dir/$issuer.pem $dir/$id.pem >/dev/null 2>&1"), 0,
    "openssl verify accepts it ($issuer)";
}

rename "$dir/tokens", "$dir/away" or die;
my $waits = $bench->order;
$bench->push_id($waits);
ok $bench->wait_for('alert', 10, sub { $bench->log_of('signer') =~ /\[alert\].*cannot sign/ }),
  'without its token the signer says so';
is $bench->state_of($waits), 'prepared', 'the row waits';
rename "$dir/away", "$dir/tokens" or die;
ok $bench->wait_state($waits, 'issued', 20), 'and is issued when the token is back' or diag $bench->log_of('signer');
is $bench->value('SELECT attempts FROM issuance WHERE id = ?', $waits), 0, 'no attempt was held against it';

is $bench->stop('signer'), 0, 'it stops when told';

done_testing;
