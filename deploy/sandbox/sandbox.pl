#!/usr/bin/env perl

# The parties outside the hall, for development and tests; README.md says
# what it speaks and which environment it needs.

use v5.36;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib "$RealBin/lib";
use Mojo::Server;

# Without this an error page would show the program's source to the caller.
BEGIN { $ENV{MOJO_MODE} //= 'production' }

my $app    = Mojo::Server->new->build_app('Sandbox');
my $result = $app->start(@ARGV);

# The daemon has been told to stop; what changed since the last write is kept.
$app->flush;
exit($result // 0);
