use v5.36;
use utf8;
use warnings FATAL => 'all';

# The store's disk is full: uploads are refused as 507 and leave nothing, everything else goes on, and with room again so
# do they. The disk is a small tmpfs in a mount namespace of this test's processes.

use Caportal::Sample qw(new_bmp new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled temporaries workers);
use Caportal::Test::Upload qw(any_format licence_of only_stored stored_files usage whole_store);
use Caportal::Test::Walk qw(is_problem);
use Test::More;

use constant {SYS_UNSHARE => 272, CLONE_NEWNS => 0x20000};    # of x86-64

plan skip_all => 'no mount namespace of our own'
    if syscall(SYS_UNSHARE, CLONE_NEWNS) != 0 || system(qw(mount --make-rprivate /)) != 0;

my $portal = Caportal::Test->start(allow => qr/No space left on device|ended with store_full/, edit => \&any_format);
my $store  = $portal->home . '/data/materials';

# The store's folder as a disk of so many KB (files).
sub mount_store (@options) {
    my ($mode, $user, $group) = (stat $store)[2, 4, 5];
    my $options = join ',', sprintf('mode=%o', $mode & 07777), "uid=$user", "gid=$group", @options;
    return system('mount', '-t', 'tmpfs', '-o', $options, 'caportal-test', $store) == 0;
}

plan skip_all => 'a tmpfs cannot be mounted here' if !mount_store('size=1m');

my @orders  = map { $portal->order_until('draft') } 1 .. 2;
my ($full, $other) = @orders;
my @workers = workers($portal);

sub put ($journey, $bytes) {
    return $journey->applicant->put(licence_of($journey), $bytes, $bytes =~ /\ABM/ ? 'image/bmp' : 'image/png');
}

# Takes up what is left of the disk but so many bytes.
sub fill ($left) {
    my ($free) = qx(df --output=avail -B1 '$store') =~ /^(\d+)$/m;
    open my $file, '>', "$store/filler" or die "$store: $!\n";
    print {$file} 'x' x ($free - $left);
    close $file or die "$store: $!\n";
    return;
}

is put($full, new_png())->code, 201, 'there is room';
my @before = stored_files($portal);
my $used   = usage($portal);

# Full before the file, in its first chunk, in a later one.
for my $left (0, 16_384, 200_000) {
    fill($left);
    is_problem(put($full, new_bmp(400, 300)), 507, 'store_full', "507 with $left bytes left");
    is_problem(put($full, new_bmp(400, 300)), 507, 'store_full', 'and again');
    ok eventually(sub { !temporaries($portal) }), 'no part of it is left';
    unlink "$store/filler" or die "$store/filler: $!\n";
    is_deeply [stored_files($portal)], \@before, 'nor anything else';
}
is usage($portal), $used, 'and nothing counts against the quota';

subtest 'everything else works' => sub {
    fill(0);
    my $client = $full->applicant;
    is $client->get('/api/session')->code, 200, 'sessions';
    is $client->get(licence_of($full))->code, 200, 'the scan that was there is handed out';
    is $client->patch('/api/orders/' . $full->no, {email => 'new@example.com'})->code, 200, 'orders change';
    is $portal->sign_in->get('/api/session')->code, 200, 'people sign in';
    is $client->delete(licence_of($full))->code, 204, 'a scan is removed';
    is raw($portal)->ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")->{status}, 200, 'the portal is well';
    unlink "$store/filler" or die "$store/filler: $!\n";
};

is put($full, new_bmp(400, 300))->code, 201, 'with room again uploads are stored';

# A disk whose inodes run out: at the file, at the folder above it.
subtest 'no more files' => sub {
    my @stored = stored_files($portal);
    for my $more (0 .. 1) {
        system('mount', '-o', 'remount,nr_inodes=' . ($more + inodes_in_use()), $store) == 0 or die "no remount\n";
        my $answer = put($other, new_png());
        next if $more && $answer->code == 201 && pass 'its folder was there';
        is_problem($answer, 507, 'store_full', "507 with $more left");
        only_stored($portal, \@stored, 'and nothing is left');
    }
    system('mount', '-o', 'remount,nr_inodes=1000', $store) == 0 or die "no remount\n";
    is put($other, new_png())->code, 201, 'with some again it goes on';
};

sub inodes_in_use () {
    my ($used) = qx(df --output=iused '$store') =~ /^\s*(\d+)$/m;
    return $used;
}

is_deeply [workers($portal)], \@workers, 'no worker died';
whole_store($portal);
settled($portal);
system('umount', '-l', $store) == 0 or diag 'the disk stays mounted';

done_testing;
