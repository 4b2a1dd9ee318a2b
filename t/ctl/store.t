use v5.36;
use utf8;
use warnings FATAL => 'all';

# caportalctl sweep-materials removes what nothing names and nothing else; check-materials finds each kind of damage,
# reconcile each kind of difference.

use Caportal::Files qw(folder read_file write_file);
use Caportal::Test;
use File::Find qw(find);
use Mojo::JSON qw(decode_json);
use Test::More;

my $portal  = Caportal::Test->start;
my $journey = $portal->order_until('issued');
my $store   = $portal->home . '/data/materials';

sub files () {
    my @found;
    find({no_chdir => 1, wanted => sub { push @found, $_ if -f }}, $store);
    return sort @found;
}

sub age ($path, $seconds) {
    utime time - $seconds, time - $seconds, $path or die "$path: $!\n";
    return $path;
}

my @kept = files();
cmp_ok scalar @kept, '>=', 7, 'scans and voucher are stored';
like $kept[0], qr{\A\Q$store\E/([0-9a-f]{2})/\g1[0-9a-f]{30}\z}, 'in 256 folders';
age($_, 7200) for @kept;

sub orphan ($digit, $seconds) {
    my $name = $kept[0] =~ s{.*/}{}r =~ s/./$digit/gr;
    folder("$store/$digit$digit");
    return age(write_file("$store/$digit$digit/$name", 'left over'), $seconds);
}

my $old   = orphan('a', 7200);
my $young = orphan('b', 60);
is $portal->ctl('sweep-materials'), "1 files removed\n", 'one file goes';
ok !-e $old, 'what was left over long ago';
is_deeply [files()], [sort @kept, $young], 'what has a row, or may yet get one, stays';
is $portal->ctl('sweep-materials'), "0 files removed\n", 'then there is nothing to do';
is $journey->applicant->get('/api/orders/' . $journey->no . '/materials/licence')->code, 200, 'a scan can be read';

subtest 'check-materials' => sub {
    my $count = @kept;
    is $portal->ctl('check-materials'), "$count files, 0 damaged\n", 'all are whole';

    my $bytes = read_file($kept[0]);
    my %changed = (
        'was changed'             => substr($bytes, 0, -30) . (substr($bytes, -30, 1) ^. "\1") . substr($bytes, -29),
        'is too short'            => substr($bytes, 0, 10),
        'has the wrong size'      => "$bytes.",
        'has the wrong head'      => 'x' . substr($bytes, 1),
        'is missing'              => undef,
    );
    for my $how (sort keys %changed) {
        unlink $kept[0];
        write_file($kept[0], $changed{$how}, 0600) if defined $changed{$how};
        is eval { $portal->ctl('check-materials') }, undef, "one $how: status 1";
        like $@, qr/stored file [0-9a-f]{32} \Q$how\E\n.*\Q$count files, 1 damaged\E/s, 'and which';
    }
    write_file($kept[0], $bytes, 0600);

    $portal->change('UPDATE material SET wrapped_key = INSERT(wrapped_key, 40, 1, "x"), sha256 = REPEAT("x", 32) LIMIT 2');
    is eval { $portal->ctl('check-materials') }, undef, 'two keys that do not open: status 1';
    like $@, qr/has a key that does not open.*\Q$count files, 2 damaged\E/s, 'and which';
};

sub reconcile () {
    my $said = eval { $portal->ctl('reconcile') };
    my $good = defined $said;
    my ($json) = ($said // $@) =~ /(\{.*\})/s;
    return ($good, decode_json($json));
}

my ($good, $report) = reconcile();
ok $good, 'an issued order adds up';
is_deeply [@$report{qw(paid issued lost difference)}], [1, 1, 0, 0], 'as issued';

# Each change of the tables, what takes it back, and where the report shows it.
my @cases = (
    ['a ledger row says issued without a certificate', 'lost',
        'UPDATE certificate SET issuance_id = issuance_id + 1000',
        'UPDATE certificate SET issuance_id = issuance_id - 1000'],
    ['a certificate that was not paid', 'issued_unpaid',
        'UPDATE certificate_order SET paid_fen = 0', 'UPDATE certificate_order SET paid_fen = amount_fen'],
    ['an order that forgot its certificate', 'lost',
        q{UPDATE certificate_order SET state = 'paid'}, q{UPDATE certificate_order SET state = 'issued'}],
    ['a ledger row behind its certificate', 'lost',
        q{UPDATE issuance SET state = 'queued'}, q{UPDATE issuance SET state = 'issued'}],
);
$portal->process('signer')->stop;
$portal->database->do('SET SESSION foreign_key_checks = 0');
for my $case (@cases) {
    my ($title, $place, $break, $mend) = @$case;
    $portal->change($break);
    ($good, $report) = reconcile();
    ok !$good, "$title: status 1";
    cmp_ok $report->{$place}, '>=', 1, "shown as $place";
    cmp_ok $report->{difference}, '>=', 1, 'and as a difference';
    $portal->change($mend);
}
ok +(reconcile())[0], 'mended, it adds up';

done_testing;
