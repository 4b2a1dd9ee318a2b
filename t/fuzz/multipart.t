use v5.36;
use warnings FATAL => 'all';

# The reader of forms under libFuzzer with AddressSanitizer and UBSan. CAPORTAL_FUZZ_SECONDS: for so long.

use Caportal::Fuzz;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'the fuzzers are a build of their own' if $ENV{CAPORTAL_BUILD};

my $fuzz = Caportal::Fuzz->new(home => tempdir(CLEANUP => 1));
my ($result) = $fuzz->run($ENV{CAPORTAL_FUZZ_SECONDS} // 12, 1, 'multipart');
ok $result->{good}, "$result->{runs} inputs" or diag $result->{log};
diag "what breaks it: $_" for @{ $result->{crashes} };
note "$result->{rate} a second, $result->{found} reached something new";

done_testing;
