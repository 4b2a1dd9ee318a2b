use v5.36;
use utf8;
use warnings FATAL => 'all';

# Ten thousand uploads over a few kept connections: the workers' memory stays where it was. A slow machine does what it
# can in 40 seconds; CAPORTAL_TEST_UPLOADS: so many, however long they take.

use Caportal::Files qw(capture write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually settled workers);
use Caportal::Test::Upload qw(any_format descriptors licence_of resident whole_store);
use Test::More;

use constant {ORDERS => 8, CONNECTIONS => 16, WARM => 12, LONGEST => 40};
use constant GROWTH => 4096;    # kilobytes of all workers and their threads: over 40,000 it went up and down by 2,000

my $uploads = $ENV{CAPORTAL_TEST_UPLOADS} // 10_000;
my $portal  = Caportal::Test->start(edit => \&any_format);
my $origin  = $portal->addresses->{portal};
my @orders  = map { $portal->order_until('draft') } 1 .. ORDERS;
my @workers = workers($portal);

local $ENV{CAPORTAL_ORIGIN} = $origin;
local $ENV{CAPORTAL_ORDERS} = write_file($portal->home . '/orders',
    join '', map { $_->applicant->cookie . ' ' . licence_of($_) . "\n" } @orders);

# Uploads for so many seconds: how many were stored. One in a hundred may be told to come again on a machine that does
# other work as well; any other answer is a failure.
sub upload_for ($seconds) {
    state $run = 0;
    my $said = capture(qw(wrk -t1 --timeout 30s -c), CONNECTIONS, '-d', "${seconds}s", '-s', 't/fault/upload_many.lua',
        $origin, '--', ++$run);
    my %count = $said =~ /^(\d+): (\d+)$/mg;
    my $stored = delete $count{201} // 0;
    my $later  = delete $count{503} // 0;
    cmp_ok $later, '<=', $stored / 100, "$stored stored, $later told to come again";
    fail "answers of status $_: $count{$_}" for sort keys %count;
    return $stored;
}

my $stored = upload_for(WARM);
cmp_ok $stored, '>', 0, "$stored uploads to begin with";
my ($resident, $open) = (resident($portal), descriptors($portal));

# In one run, for as long as it takes at this rate: what wrk leaves half done at its end is no part of the question.
my $longest = $ENV{CAPORTAL_TEST_UPLOADS} ? 86_400 : LONGEST;
my $seconds = 1 + int(WARM * ($uploads - $stored) / ($stored || 1));
$stored += upload_for($seconds < $longest ? $seconds : $longest);
pass "$stored of $uploads uploads";
ok eventually(sub { descriptors($portal) <= $open + CONNECTIONS }, 60), "descriptors: $open, then " . descriptors($portal);
my $growth = resident($portal) - $resident;
cmp_ok $growth, '<=', GROWTH, "memory: $resident KB, and $growth more";
is_deeply [workers($portal)], \@workers, 'no worker died';

whole_store($portal);
settled($portal);

done_testing;
