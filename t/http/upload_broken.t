use v5.36;
use utf8;
use warnings FATAL => 'all';

# Files that end early, at each of their bytes, and connections that are reset in the middle of one, a thousand times:
# nothing is stored, nothing leaks.

use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw sanitized settled temporaries workers);
use Caportal::Test::Upload
    qw(any_format descriptors licence_of only_stored resident samples stored_files usage whole_store);
use Test::More;

use constant RESETS => 1000;
use constant GROWTH => 256;    # kilobytes that all workers together may grow by meanwhile
use constant POOLS  => 40;     # connections to the database that their threads may open meanwhile

my $seed = $ENV{CAPORTAL_TEST_SEED} // time;
srand $seed;
note "CAPORTAL_TEST_SEED=$seed";

my $portal  = Caportal::Test->start(edit => \&any_format);
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $path    = licence_of($journey);
my @workers = workers($portal);

# As "422 bad_file truncated".
sub verdict ($answer) {
    my $json = $answer->json // {};
    return join ' ', $answer->code, grep {defined} @$json{qw(code reason)};
}

# The first twelve bytes tell the format; a few words may stand for "it ends early".
my $refusal = qr/\A(?:422 invalid_fields|415 unsupported_media_type|422 bad_file (?:truncated|missing|signature))\z/;

for my $sample (samples()) {
    my ($type, $bytes, $spare) = @$sample;
    my @before = stored_files($portal);
    my %not_refused;

    for my $length (0 .. length($bytes) - $spare - 1) {
        my $verdict = verdict($client->put($path, substr($bytes, 0, $length), $type));
        $not_refused{$length} = $verdict if $verdict !~ $refusal;
    }
    is_deeply \%not_refused, {}, "$type: whatever is missing of " . length($bytes) . ' bytes, it is refused';
    only_stored($portal, \@before, 'and not stored');
    is $client->put($path, $bytes, $type)->code, 201, 'the whole one is taken';
}

# In one piece or in chunks; the head may be cut too. Returns how many bytes were kept back.
sub reset_one ($number) {
    my ($type, $bytes) = @{ (samples())[$number % 5] };
    $bytes .= "\0" x rand 200_000 if $type eq 'image/bmp';
    my $connection = raw($portal, $client);
    my $request    = $number % 3
        ? $connection->whole(PUT => $path, $bytes, 'Content-Type' => $type)
        : $connection->head(PUT => $path, 'Content-Type' => $type, 'Transfer-Encoding' => 'chunked')
            . sprintf("%x\r\n", length $bytes) . "$bytes\r\n0\r\n\r\n";
    my $sent = $connection->send(substr $request, 0, rand length $request);
    $connection->reset;
    return length($request) - $sent;
}

subtest RESETS . ' resets' => sub {
    my $idle = sub {
        return eventually(sub { !temporaries($portal) && $client->get('/api/session')->code == 200 });
    };
    reset_one($_) for 1 .. RESETS / 4;
    ok $idle->(), 'warm';
    my ($open, $resident, $stored) = (descriptors($portal), resident($portal), [stored_files($portal)]);

    reset_one($_) for 1 .. RESETS - RESETS / 4;
    ok $idle->(), 'no temporary file is left';
    ok eventually(sub { descriptors($portal) <= $open + POOLS }), "descriptors: $open, then " . descriptors($portal);
    my $growth = resident($portal) - $resident;
    cmp_ok $growth, '<=', GROWTH, "memory: $resident KB and $growth more" if !sanitized();
    only_stored($portal, $stored, 'nothing was stored');
    is_deeply [workers($portal)], \@workers, 'no worker died';
};

subtest 'room' => sub {
    is $client->delete($path)->code, 204, 'the scan is removed';
    is usage($portal), 0, 'and nothing counts against the quota';
};

whole_store($portal);
settled($portal);

done_testing;
