package Sandbox::Value;

# Small questions about values that came from outside, and the few values
# that everything here makes in the same way.

use v5.36;
use utf8;
use warnings FATAL => 'all';
no warnings 'experimental::builtin';

use Exporter qw(import);
use Mojo::File qw(path);
use POSIX qw(strftime);

our @EXPORT_OK = qw(is_text is_whole random_hex china_time read_secret);

# Perl turns "1" and 1 into one another at will, the protocols do not.
sub is_text ($value) {
  return defined $value && !ref $value && !builtin::created_as_number($value);
}

sub is_whole ($value) {
  return
       defined $value
    && !ref $value
    && builtin::created_as_number($value)
    && $value =~ /\A-?\d{1,15}\z/a;
}

sub random_hex ($bytes) {
  open my $source, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
  my $got = read $source, my ($octets), $bytes;
  die "/dev/urandom gave too little\n" if !defined $got || $got != $bytes;
  return unpack 'H*', $octets;
}

# RFC 3339 in China's one time zone, whatever the machine's own is.
sub china_time ($epoch) {
  return strftime('%Y-%m-%dT%H:%M:%S+08:00', gmtime($epoch + 8 * 3600));
}

# The shared secret in the file that an environment variable names. Editors
# end files with a newline, which is no part of the secret.
sub read_secret ($variable) {
  my $file = $ENV{$variable} // '';
  die "$variable must name a file that holds the secret\n" if $file eq '';
  my $secret = eval { path($file)->slurp } // die "$variable: cannot read $file\n";
  $secret =~ s/\r?\n\z//;
  die "$variable: $file is empty\n" if $secret eq '';
  return $secret;
}

1;
