use v5.36;
use utf8;
use warnings FATAL => 'all';

# Workers are killed in the middle of files, again and again, while others upload: every upload that was acknowledged is
# there with its digest; what was under way is swept.

use Caportal::Files qw(read_file write_file);
use Caportal::Sample qw(new_bmp);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled temporaries workers);
use Caportal::Test::Upload qw(any_format licence_of);
use Digest::SHA qw(sha256_hex);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant {CLIENTS => 3, KILLS => 10, SLOW => 5};

my $portal = Caportal::Test->start(allow => qr/exited on signal 9/, edit => \&any_format);
my $folder = $portal->home;
my @orders = map { $portal->order_until('draft') } 0 .. CLIENTS;
my $slow   = pop @orders;

# Uploads one scan after the other in place of the last, each until it is acknowledged, which is noted down.
sub go_on ($number) {
    my $journey  = $orders[$number];
    my $path     = licence_of($journey);
    my $repeated = 0;
    while (!-e "$folder/enough") {
        my $bytes = new_bmp(200, 100 + rand 100);
        my $end   = time + 30;
        until (eval { $journey->applicant->put($path, $bytes, 'image/bmp')->code == 201 }) {
            die "client $number: a scan is not taken\n" if time > $end;
            $repeated++;
            sleep 0.01;
        }
        open my $told, '>>', "$folder/told-$number" or die "$folder: $!\n";
        syswrite $told, join(' ', length $bytes, sha256_hex($bytes)) . "\n";
    }
    write_file("$folder/repeated-$number", $repeated);
    return;
}

my @clients = map {
    my $number = $_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        srand;
        my $fine = eval { go_on($number); 1 };
        print STDERR "# $@" if !$fine;
        POSIX::_exit($fine ? 0 : 1);
    }
    $pid;
} 0 .. CLIENTS - 1;

# Some half sent, then both workers at once.
sub kill_in_the_middle () {
    my @half = map { raw($portal, $slow->applicant) } 1 .. SLOW;
    my $bmp  = new_bmp(400, 300);
    my $left = temporaries($portal);
    $_->send(substr $_->whole(PUT => licence_of($slow), $bmp, 'Content-Type' => 'image/bmp'), 0, 100_000 + rand 200_000)
        for @half;
    my $there = eventually(sub { temporaries($portal) >= $left + SLOW });
    my @before = workers($portal);
    kill KILL => @before;
    return $there && eventually(sub {
        my %now = map { $_ => 1 } workers($portal);
        keys %now == @before && !grep { $now{$_} } @before;
    });
}

for my $round (1 .. KILLS) {
    ok kill_in_the_middle(), "kill $round" or last;
    sleep rand 0.3;
}
write_file("$folder/enough", '');
is_deeply [grep { waitpid $_, 0; $? } @clients], [], 'every client got its answers';

my ($acknowledged, $repeated) = (0, 0);
for my $number (0 .. CLIENTS - 1) {
    my @told = split /\n/, read_file("$folder/told-$number");
    my $list = $orders[$number]->applicant->get(licence_of($orders[$number]) =~ s{/licence\z}{}r)->json->{items};
    is_deeply [map {"$_->{size} $_->{sha256}"} @$list], [$told[-1]], "client $number has the scan that was acknowledged";
    $acknowledged += @told;
    $repeated     += read_file("$folder/repeated-$number");
}
note "$acknowledged uploads acknowledged, $repeated repeated";
cmp_ok $repeated, '>', 0, 'some clients lost their connection meanwhile';
like $portal->ctl('check-materials'), qr/\A\d+ files, 0 damaged\n\z/, 'all that is named is whole';

subtest 'what was under way' => sub {
    my @left = temporaries($portal);
    cmp_ok scalar @left, '>', 0, @left . ' files are left half done';
    is_deeply [grep { ((stat)[2] & 07777) != 0600 } @left], [], 'for nobody else to read';
    my $ago = time - 660;
    utime $ago, $ago, @left;
    like $portal->ctl('sweep-materials'), qr/\A${\ scalar @left} files removed\n\z/, 'the sweep removes them';
    is_deeply [temporaries($portal)], [], 'all';
    like $portal->ctl('check-materials'), qr/\A\d+ files, 0 damaged\n\z/, 'and nothing else';
};

settled($portal);

done_testing;
