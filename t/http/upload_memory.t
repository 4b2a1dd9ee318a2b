use v5.36;
use warnings FATAL => 'all';

# Uploads that stall in the middle, as they are and in forms: what each holds of a worker's memory, however large it is.

use Caportal::Sample qw(new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually memory raw reloaded sanitized settled temporaries workers);
use Caportal::Test::Form qw(file_part form form_type);
use Test::More;

use constant { COUNT => 60, SENT => 400_000, LIMIT => 1024 * 1024, KILOBYTES => 128 };

plan skip_all => 'the sanitizers have memory of their own' if sanitized();

my $portal = Caportal::Test->start(edit => sub ($text) { return $text =~ s/^worker_processes.*/worker_processes 1;/mr });
my $client = $portal->order_until('draft')->applicant;
my $scan   = '/api/orders/none/materials/licence';
my $png    = new_png();
my $body   = $png . "\0" x (LIMIT - length $png);
my $form   = form(file_part($body));

# So many connections that have sent so much of a body, and the memory for each.
sub stall ($title, $method, $type, $bytes) {
    ok reloaded($portal), "$title: a new worker";
    my ($worker) = workers($portal);
    my $stalled = sub { grep { -s $_ > SENT - 3 * 65536 } temporaries($portal) };
    my $hold = sub ($count) {
        my @connections = map { raw($portal, $client) } 1 .. $count;
        for my $connection (@connections) {
            $connection->send($connection->head($method => $scan, 'Content-Length' => length $bytes,
                'Content-Type' => $type));
            $connection->send(substr $bytes, 0, SENT);
        }
        ok eventually(sub { $stalled->() == $count }, 20), "$title: $count wait";
        return @connections;
    };

    # The first make the worker's heap as large as it is for any.
    my @some   = $hold->(5);
    my $before = memory($worker);
    $_->close for @some;
    ok eventually(sub { !temporaries($portal) }, 10), '... and go';

    my @all  = $hold->(COUNT);
    my $each = (memory($worker) - $before) / (COUNT - 5);
    cmp_ok $each, '<=', KILOBYTES, "... each with at most ${\ KILOBYTES} KB";
    note sprintf '%s: %.0f KB each', $title, $each;
    $_->close for @all;
    ok eventually(sub { !temporaries($portal) }, 10), '... and all go';
    return;
}

stall('files', PUT  => 'image/png', $body);
stall('forms', POST => form_type(), $form);
settled($portal);

done_testing;
