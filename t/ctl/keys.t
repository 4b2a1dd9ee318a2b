use v5.36;
use warnings FATAL => 'all';

# caportalctl keys new: a ring begins, grows, keeps its old keys and its mode; a bad one stays as it is.

use Caportal::Files qw(read_file write_file);
use File::Temp qw(tempdir);
use Test::More;

my $build = $ENV{CAPORTAL_BUILD} // 'build';
my $dir   = tempdir(CLEANUP => 1);
my $ring  = "$dir/keyring";

sub new_key () {
    my $output = qx('$build/caportalctl' keys new --key-ring '$ring' 2>&1);
    return ($output, $? >> 8);
}

sub mode () { return sprintf '%o', (stat $ring)[2] & 07777 }

is +(new_key())[1], 0, 'a ring begins';
my $first = read_file($ring);
like $first, qr/\A1 [0-9a-f]{64}\n\z/, 'with version 1';
is mode(), '640', 'readable by its group alone';

chmod 0600, $ring;
is +(new_key())[1], 0, 'a key is added';
my $second = read_file($ring);
like $second, qr/\A\Q$first\E2 [0-9a-f]{64}\n\z/, 'behind the first';
is mode(), '600', 'the mode stays';

write_file($ring, $second =~ s/\n\z//r, 0600);
is +(new_key())[1], 0, 'a last line without its end is fine';
like read_file($ring), qr/\A\Q$second\E3 [0-9a-f]{64}\n\z/, 'and gets one';

chmod 0644, $ring;
my ($output, $status) = new_key();
is $status, 1, 'a ring open to others is refused';
like $output, qr/open to others/, 'and told';
chmod 0600, $ring;

write_file($ring, "1 abc\n", 0600);
($output, $status) = new_key();
is $status, 1, 'a malformed ring is refused';
like $output, qr/keyring:1: expected a version and 64/, 'by its line';
is read_file($ring), "1 abc\n", 'and left alone';

done_testing;
